package logs

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

// spare is a second stream of a log, opened when its pod begins to end. The pod's logs are deleted with it, but a file that is open can be read
// to its end. A stream that is still in a file which was rotated away ends there when the container has ended, without a look at
// the new one (k8s.io/cri-client/pkg/logs): what follows is in the spare. It is not read unless it is needed.
type spare struct {
	from atomic.Int64 // the second from which on it is asked for, in nanoseconds

	mu   sync.Mutex
	body io.ReadCloser
}

// prepare opens the spare when the pod begins to end, unless stop is called before.
func (s *spare) prepare(ctx context.Context, w *containerWatch, open func() (io.ReadCloser, error)) (stop func()) {
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
		if s.there() {
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

func (s *spare) there() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.body != nil
}

// take returns the spare, which is the caller's from then on, or nil where there is none.
func (s *spare) take() io.ReadCloser {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := s.body
	s.body = nil
	return body
}

func (s *spare) close() {
	if body := s.take(); body != nil {
		_ = body.Close()
	}
}
