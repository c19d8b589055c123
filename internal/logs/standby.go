package logs

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

// standby is a second stream of a log. It is opened when the Pod begins to terminate, and read only if needed.
//
// A Pod's logs are deleted with the Pod, but an open file can be read to its end. If a stream is still in a rotated
// file when the container ends, it stops at the end of that file and ignores the new one (k8s.io/cri-client/pkg/logs).
// The standby stream then has the lines of the new file.
type standby struct {
	// from is the second from which the stream is requested, in Unix nanoseconds. 0 means the start of the first
	// stream.
	from atomic.Int64

	mu   sync.Mutex
	body io.ReadCloser
}

// prepare opens the standby stream when the Pod begins to terminate. stop cancels that, or waits until the stream is
// open.
func (s *standby) prepare(
	ctx context.Context, w *containerWatch, open func() (io.ReadCloser, error),
) (stop func()) {
	done := make(chan struct{})
	var preparing sync.WaitGroup
	preparing.Go(func() {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-w.terminating:
		}
		if s.isOpen() {
			return
		}
		if body, err := open(); err == nil {
			s.mu.Lock()
			s.body = body
			s.mu.Unlock()
		}
	})
	return func() { close(done); preparing.Wait() }
}

func (s *standby) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.body != nil
}

// take returns the open stream, which the caller must close, or nil.
func (s *standby) take() io.ReadCloser {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := s.body
	s.body = nil
	return body
}

func (s *standby) close() {
	if body := s.take(); body != nil {
		_ = body.Close()
	}
}
