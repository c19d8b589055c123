package logs

import (
	"io"
	"sync"
	"time"
)

const (
	// silence is how long nothing may come before the doubt is looked into.
	silence = 2 * time.Second
	// longestSilence is how long it may be between two looks.
	longestSilence = 5 * time.Minute
)

// settling reads a stream that follows a log. The kubelet begins to look out for a rotation only when it has once come to the end of the
// file (k8s.io/cri-client/pkg/logs): one that happens before, while much is being read, leaves the stream at the end of
// the old file for ever. So when nothing comes, it is asked how the log ends. Where that is what was read last, the stream is at the end of
// the newest file, and all is well from then on. Where it is something else, and is so once more a while later, the stream is broken off with
// errQuiet: what is opened in its place reads the new file.
type settling struct {
	body io.ReadCloser
	tip  func() tip       // how far the log has been read
	look func(tip) ending // asks how it ends
	wait time.Duration    // how long nothing may come before the next look

	mu      sync.Mutex
	reads   int // how many have begun and ended
	settled bool
	suspect bool // whether the last look has found the log to go on
	behind  bool
}

// Read implements io.Reader.
func (s *settling) Read(p []byte) (int, error) {
	read, settled := s.next()
	if settled {
		return s.body.Read(p)
	}
	tip := s.tip()
	doubt := time.AfterFunc(s.wait, func() { s.doubt(read, tip) })
	n, err := s.body.Read(p)
	doubt.Stop()
	s.next()
	if s.broken() && n == 0 {
		return 0, errQuiet
	}
	return n, err
}

func (s *settling) next() (read int, settled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	s.suspect = false
	return s.reads, s.settled
}

func (s *settling) broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.behind
}

func (s *settling) waits(read int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads == read
}

// doubt looks how the log ends, as long as the same read waits for more.
func (s *settling) doubt(read int, tip tip) {
	if !s.waits(read) {
		return
	}
	how := s.look(tip)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reads != read { // something has come meanwhile
		return
	}
	again := s.suspect
	s.suspect = how == further
	switch {
	case how == same:
		s.settled = true
		return
	case how == further && again: // it is not just slow: what it has not sent yet would be lost
		s.behind = true
		_ = s.body.Close()
		return
	case how == unknown:
		s.wait = min(2*s.wait, longestSilence)
	}
	time.AfterFunc(s.wait, func() { s.doubt(read, tip) })
}
