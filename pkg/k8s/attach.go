package k8s

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"
)

// AttachStdin passes in to the standard input of a running container, and closes the container's input at its end. It
// returns nil once the kubelet has passed on everything, or once the container has closed its input. It uses a
// WebSocket, whose end tells success from a broken connection; SPDY's does not.
func (c *Client) AttachStdin(ctx context.Context, ns, pod, container string, in io.Reader) error {
	to := c.core.RESTClient().Get().Namespace(ns).Resource("pods").Name(pod).SubResource("attach").
		VersionedParams(&corev1.PodAttachOptions{Container: container, Stdin: true}, scheme.ParameterCodec).URL()
	conf := rest.CopyConfig(c.conf)
	conf.WrapTransport = nil // a repeated request would read the input twice; the credentials are added elsewhere
	stream, err := remotecommand.NewWebSocketExecutor(conf, http.MethodGet, to.String())
	if err != nil {
		return fmt.Errorf("attach to Pod %s: %w", pod, err)
	}
	err = stream.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: in})
	if refused, ok := errors.AsType[*httpstream.UpgradeFailureError](err); ok {
		err = refused.Cause // such as the API server's status
	}
	return Explain(err, "attach to Pod %s", pod)
}
