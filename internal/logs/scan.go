package logs

import (
	"bytes"
	"errors"
	"io"
	"regexp"
)

const (
	bufferSize = 32 << 10
	// wholeLimit is the size of the longest line that is passed on as one piece. Longer lines are passed on in several
	// pieces.
	wholeLimit = 256 << 10
)

// piece is a line of a log stream, or a part of a long line.
type piece struct {
	at         int64 // the line's time in Unix nanoseconds; 0 if the stream has no timestamps
	text       []byte
	begin, end bool // the piece begins or ends its line
}

// scanner splits a log stream into pieces. The text of a piece is valid until the next call of next.
type scanner struct {
	r        io.Reader
	idle     func() error // called before each read, which may block
	headless bool         // the stream may begin inside a line

	buf      []byte
	pos, n   int  // unread bytes are buf[pos:n]
	searched int  // number of bytes from pos on that contain no line end
	begun    bool // the first line has passed
	inside   bool // the current line has begun and not ended
	skip     bool // drop the rest of the current line
	stamps   timestampParser
	remark   string // the kubelet's message in the stream
}

var (
	// errRemark means that the stream contains a message from the kubelet instead of a line.
	errRemark = errors.New("the kubelet ended the log with a message")
	// errNoLogFile and errUnavailable mean that the stream consists of a message that Missing matches.
	errNoLogFile   = errors.New("the kubelet has deleted the log")
	errUnavailable = errors.New("the kubelet cannot retrieve the log")
)

// Missing matches the message that the kubelet sends with status 200 instead of a missing log. Either the file is
// deleted, or the container runtime does not know the container: for good, or while the runtime restarts
// (k8s.io/kubernetes/pkg/kubelet/kuberuntime: GetContainerLogs; k8s.io/cri-client/pkg/logs: ReadLogs).
var Missing = regexp.MustCompile(`^(unable to retrieve container logs for |` +
	`failed to (try resolving symlinks in path|open log file) .*: no such file or directory)`)

// missingError returns the error for a message instead of a log, or nil.
func missingError(text []byte) error {
	m := Missing.FindSubmatch(text)
	switch {
	case m == nil:
		return nil
	case len(m[2]) > 0:
		return errNoLogFile
	default:
		return errUnavailable
	}
}

func newScanner(r io.Reader, headless bool, idle func() error) *scanner {
	return &scanner{r: r, idle: idle, headless: headless, buf: make([]byte, bufferSize)}
}

// next returns the next piece. At the end of the stream, it returns io.EOF or the reason why the stream broke. It does
// not return an unfinished line, except for pieces of a long line; see rest.
func (s *scanner) next() (piece, error) {
	for {
		unread := s.buf[s.pos:s.n]
		if i := bytes.IndexByte(unread[s.searched:], '\n'); i >= 0 {
			line := unread[:s.searched+i]
			s.pos, s.searched = s.pos+len(line)+1, 0
			if p, ok, err := s.cut(line, true); ok || err != nil {
				return p, err
			}
			continue
		}
		s.searched = len(unread)
		if len(unread) >= wholeLimit || s.inside && len(unread) >= bufferSize/2 {
			s.pos, s.searched = s.n, 0
			if p, ok, err := s.cut(unread, false); ok || err != nil {
				return p, err
			}
			continue
		}
		if err := s.fill(); err != nil {
			if why := missingError(s.buf[s.pos:s.n]); why != nil && !s.inside && !s.stamps.used {
				s.pos, err = s.n, why
			}
			return piece{}, err
		}
	}
}

// cut returns a piece with the next bytes. end says whether they end their line. ok is false if the bytes are dropped.
func (s *scanner) cut(text []byte, end bool) (p piece, ok bool, err error) {
	p = piece{text: text, begin: !s.inside, end: end}
	dropped := s.skip
	s.inside = !end
	if end {
		s.skip = false
	}
	if !p.begin {
		return p, !dropped, nil
	}
	at, n := s.stamps.parse(text)
	switch {
	case n > 0:
		p.at, p.text = at, text[n:]
	case !s.stamps.used && missingError(text) != nil:
		return piece{}, false, missingError(text)
	case !s.begun && s.headless: // the rest of a line that began before the requested time
		s.begun, s.skip = true, !end
		return piece{}, false, nil
	case s.begun && s.stamps.used:
		s.remark = string(text[:min(len(text), 500)])
		return piece{}, false, errRemark
	}
	s.begun = true
	return p, true, nil
}

// fill reads more bytes. It enlarges the buffer if a line requires that.
func (s *scanner) fill() error {
	rest := s.n - s.pos
	switch {
	case rest == 0 && len(s.buf) > bufferSize:
		s.buf = make([]byte, bufferSize) // release the memory of a long line
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

// rest returns the unfinished line at the end of the stream.
func (s *scanner) rest() (p piece, ok bool) {
	text := s.buf[s.pos:s.n]
	if len(text) == 0 {
		return piece{}, false
	}
	s.pos = s.n
	p, ok, err := s.cut(text, false)
	return p, ok && err == nil
}
