package k8s

import (
	"context"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// newLogClient returns a client for log streams that uses HTTP/1.1, so each stream has its own connection. The server's
// SETTINGS_MAX_CONCURRENT_STREAMS does not limit hundreds of streams, a slow reader delays neither other streams nor
// watches, and unread lines wait in the server instead of this process's memory.
func newLogClient(
	conf *rest.Config, wrap []func(http.RoundTripper) http.RoundTripper,
) (typedcorev1.CoreV1Interface, error) {
	own := rest.CopyConfig(conf)
	own.NextProtos = []string{"http/1.1"}
	own.DisableCompression = true
	httpClient, err := httpClientFor(own, wrap)
	if err != nil {
		return nil, err
	}
	return typedcorev1.NewForConfigAndClient(own, httpClient)
}

// StreamLogs opens the log of one container. With opts.Follow the stream lasts until the container or ctx ends. The end
// of the stream does not prove the end of the log: a restart of the kubelet looks the same.
func (c *Client) StreamLogs(ctx context.Context, ns, pod string, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	s, err := c.logs.Pods(ns).GetLogs(pod, opts).Stream(ctx)
	return s, Explain(err, "read the log of Pod %s", pod)
}
