package k8s

import (
	"context"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	utilversion "k8s.io/apimachinery/pkg/util/version"
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

// splittingVersion is the first version of an API server whose kubelets all know the streams of a log: they are at most
// three minor versions older (kubernetes.io: Version Skew Policy), and Kubernetes 1.32 knows them. An older kubelet
// would send both streams for each one.
const splittingVersion = "1.35"

// SplitsLogs reports whether the cluster can send a container's stdout and stderr apart. By default it cannot: API
// server and kubelet need the feature gate PodLogsQuerySplitStreams.
func (c *Client) SplitsLogs(ctx context.Context, ns, pod, container string) bool {
	server, err := c.Server(ctx)
	if err != nil {
		return false
	}
	v, err := utilversion.ParseGeneric(server.Version)
	if err != nil || !v.AtLeast(utilversion.MustParseGeneric(splittingVersion)) {
		return false
	}
	stream, one := corev1.LogStreamStderr, int64(1)
	s, err := c.StreamLogs(ctx, ns, pod, &corev1.PodLogOptions{Container: container, Stream: &stream, LimitBytes: &one})
	if err != nil {
		return false
	}
	_ = s.Close()
	return true
}
