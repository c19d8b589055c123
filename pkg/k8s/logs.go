package k8s

import (
	"context"
	"io"

	corev1 "k8s.io/api/core/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// newLogClient is a client for log streams, on HTTP/1.1: each stream has a connection of its own, so that hundreds of them are not limited by
// the server's SETTINGS_MAX_CONCURRENT_STREAMS, one that is read slowly holds up neither the others nor a watch, and what is
// not read yet waits at the server, not in this process's memory.
func newLogClient(conf *rest.Config) (typedcorev1.CoreV1Interface, error) {
	own := rest.CopyConfig(conf)
	own.NextProtos = []string{"http/1.1"}
	own.DisableCompression = true
	httpClient, err := rest.HTTPClientFor(own)
	if err != nil {
		return nil, err
	}
	return typedcorev1.NewForConfigAndClient(own, httpClient)
}

// StreamLogs opens one container's log; with Follow in opts it goes on until the container ends or ctx does. An end of the stream
// does not prove the log's end: it is also what a restart of the kubelet looks like.
func (c *Client) StreamLogs(ctx context.Context, ns, pod string, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	s, err := c.logs.Pods(ns).GetLogs(pod, opts).Stream(ctx)
	return s, Explain(err, "read the log of pod %s", pod)
}
