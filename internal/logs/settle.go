package logs

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	tip  func() lastRead       // how far the log has been read
	look func(lastRead) logEnd // asks how it ends
	wait time.Duration         // how long nothing may come before the next look

	mu      sync.Mutex
	reads   int // how many have begun and ended
	settled bool
	suspect bool  // whether the last look has found the log to go on
	why     error // the stream was broken off
}

// Read implements io.Reader.
func (s *settling) Read(p []byte) (int, error) {
	read, settled := s.next()
	if !settled {
		tip := s.tip()
		doubt := time.AfterFunc(s.wait, func() { s.doubt(read, tip) })
		defer doubt.Stop()
	}
	n, err := s.body.Read(p)
	s.next()
	if why := s.broken(); why != nil && n == 0 {
		return 0, why
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

func (s *settling) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

func (s *settling) waits(read int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads == read
}

// doubt looks how the log ends, as long as the same read waits for more.
func (s *settling) doubt(read int, tip lastRead) {
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
	s.suspect = how == endAhead
	switch {
	case how == endReached:
		s.settled = true
		return
	case how == endAhead && again: // it is not just slow: what it has not sent yet would be lost
		s.why = errQuiet
		_ = s.body.Close()
		return
	case how == endAhead:
		s.wait = silence
	default:
		s.wait = min(2*s.wait, longestSilence)
	}
	time.AfterFunc(s.wait, func() { s.doubt(read, tip) })
}

// lookFor is how long a look may take.
const lookFor = 10 * time.Second

// look asks how the log ends, as far as its newest file tells. A vain end is one for which another stream was opened already, that had nothing new:
// of a line longer than 16 KiB the kubelet gives the last part, with a time of its own.
func (r *reader) look(ctx context.Context, read lastRead, since *metav1.Time, vain lineID) logEnd {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	one := int64(1)
	body, err := r.stream(ctx, r.slots.look, &corev1.PodLogOptions{Container: r.container, Timestamps: true, TailLines: &one})
	if err != nil {
		return endUnknown
	}
	defer func() { _ = body.Close() }()
	p, err := newScanner(body, false, func() error { return nil }).next()
	if errors.Is(err, io.EOF) && !read.any && since == nil {
		return endReached // it is empty; a file that was rotated away was not, and would have been read
	}
	if err != nil || p.at == 0 {
		return endUnknown
	}
	id, from := r.ids.id(p.at, p.text), int64(0)
	_, _ = io.Copy(io.Discard, body) // so that the connection is used again
	if since != nil {
		from = since.UnixNano()
	}
	if id == vain {
		return endReached
	}
	r.looked.Store(uint64(id))
	return read.compare(p.at, id, from)
}
