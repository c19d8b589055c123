package logs

import (
	"io"
	"time"
)

const (
	// quickCatchUp is how long a stream may take to come to the end of the log without doubt.
	quickCatchUp = time.Second
	// silence is how long nothing may come before the doubt is looked into.
	silence = 2 * time.Second
)

// settling reads a stream that follows a log. The kubelet begins to look out for a rotation only when it has once come to the end of the
// file (k8s.io/cri-client/pkg/logs): one that happens before, while much is being read, leaves the stream at the end of
// the old file for ever. So a stream that took long to come to an end, and then is silent, is broken off once, with errQuiet: what is opened
// in its place reads the new file.
type settling struct {
	body    io.ReadCloser
	opened  time.Time
	settled bool
}

// Read implements io.Reader.
func (s *settling) Read(p []byte) (int, error) {
	if s.settled {
		return s.body.Read(p)
	}
	begin := time.Now()
	if begin.Sub(s.opened) < quickCatchUp {
		n, err := s.body.Read(p)
		s.settled = time.Since(begin) > quickCatchUp/2
		return n, err
	}
	quiet := time.AfterFunc(silence, func() { _ = s.body.Close() })
	n, err := s.body.Read(p)
	if !quiet.Stop() && n == 0 {
		return 0, errQuiet
	}
	return n, err
}
