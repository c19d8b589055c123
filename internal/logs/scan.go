package logs

import (
	"bytes"
	"errors"
	"io"
	"regexp"
)

const (
	bufferSize = 32 << 10
	// wholeLimit is the longest line that is held as a whole; what is longer is passed on in pieces.
	wholeLimit = 256 << 10
)

// piece is a line of a log stream, or a part of one that is too long to be held.
type piece struct {
	at         int64 // the line's time, Unix nanoseconds; 0 where the stream has none
	text       []byte
	begin, end bool // whether it begins and ends its line
}

// scanner cuts a log stream into pieces. A piece's text is good until the next call of next.
type scanner struct {
	r      io.Reader
	idle   func() error // is called before a read, which may take long
	buf    []byte
	pos, n int  // unread bytes are buf[pos:n]
	inside bool // whether a line has begun that has not ended
	skip   bool // whether the rest of the line is dropped
	sought int  // bytes from pos on that hold no line's end
	clock  clock
	remark string // what the stream said that is no line
	begun  bool
	// headless says that the stream may begin in the middle of a line.
	headless bool
}

var (
	// errRemark says that the stream carried a text of the kubelet's own, in place of a line: why it cannot go on.
	errRemark = errors.New("the kubelet broke the log off")
	// errDeleted and errUnavailable say that it carried a text that Missing matches.
	errDeleted     = errors.New("the kubelet has deleted the log")
	errUnavailable = errors.New("the kubelet cannot retrieve the log")
)

// Missing matches what the kubelet writes in place of a log that it does not have, into a stream that has begun well: of a file that is deleted,
// and of a container that its runtime does not name, for good or while it is restarted (k8s.io/kubernetes/pkg/kubelet/kuberuntime:
// GetContainerLogs; k8s.io/cri-client/pkg/logs: ReadLogs).
var Missing = regexp.MustCompile(`^(unable to retrieve container logs for |failed to (try resolving symlinks in path|open log file) .*: no such file or directory)`)

// missing is the error for a text in place of a log, or nil.
func missing(text []byte) error {
	m := Missing.FindSubmatch(text)
	switch {
	case m == nil:
		return nil
	case len(m[2]) > 0:
		return errDeleted
	default:
		return errUnavailable
	}
}

func newScanner(r io.Reader, headless bool, idle func() error) *scanner {
	return &scanner{r: r, idle: idle, headless: headless, buf: make([]byte, bufferSize)}
}

// next returns the next piece. At the stream's end the error is io.EOF, or why it broke; a line that has not ended until then is not
// returned, unless parts of it have been.
func (s *scanner) next() (piece, error) {
	for {
		rest := s.buf[s.pos:s.n]
		if i := bytes.IndexByte(rest[s.sought:], '\n'); i >= 0 {
			line := rest[:s.sought+i]
			s.pos, s.sought = s.pos+len(line)+1, 0
			if p, ok, err := s.cut(line, true); ok || err != nil {
				return p, err
			}
			continue
		}
		s.sought = len(rest)
		if len(rest) >= wholeLimit || s.inside && len(rest) >= bufferSize/2 {
			s.pos, s.sought = s.n, 0
			if p, ok, err := s.cut(rest, false); ok || err != nil {
				return p, err
			}
			continue
		}
		if err := s.fill(); err != nil {
			if why := missing(s.buf[s.pos:s.n]); why != nil && !s.inside && !s.clock.used {
				s.pos, err = s.n, why
			}
			return piece{}, err
		}
	}
}

// cut makes a piece of the next bytes; end says that they end the line.
func (s *scanner) cut(text []byte, end bool) (piece, bool, error) {
	p := piece{text: text, begin: !s.inside, end: end}
	dropped := s.skip
	s.inside = !end
	if end {
		s.skip = false
	}
	if !p.begin {
		return p, !dropped, nil
	}
	at, n := s.clock.parse(text)
	switch {
	case n > 0:
		p.at, p.text = at, text[n:]
	case !s.clock.used && missing(text) != nil:
		return piece{}, false, missing(text)
	case !s.begun && s.headless: // the end of a line that began before the time asked for
		s.begun, s.skip = true, !end
		return piece{}, false, nil
	case s.begun && s.clock.used:
		s.remark = string(text[:min(len(text), 500)])
		return piece{}, false, errRemark
	}
	s.begun = true
	return p, true, nil
}

// fill reads more bytes, into a larger buffer where the line needs it.
func (s *scanner) fill() error {
	rest := s.n - s.pos
	switch {
	case rest == 0 && len(s.buf) > bufferSize:
		s.buf = make([]byte, bufferSize) // a long line has passed
	case s.pos == 0 && s.n == len(s.buf):
		s.buf = append(make([]byte, 0, 2*len(s.buf)), s.buf...)[:2*len(s.buf)]
	default:
		copy(s.buf, s.buf[s.pos:s.n])
	}
	s.pos, s.n = 0, rest
	if err := s.idle(); err != nil {
		return err
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.n:])
		s.n += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// rest is what the stream's end has left of a line without an end.
func (s *scanner) rest() (piece, bool) {
	text := s.buf[s.pos:s.n]
	if len(text) == 0 {
		return piece{}, false
	}
	s.pos = s.n
	p, ok, err := s.cut(text, false)
	return p, ok && err == nil
}
