package logs

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// liveNode runs one container through its instances, like a kubelet. It serves the logs of the newest instance and of
// the one before. Its streams break anywhere, it rotates logs, and it updates the Pod's status late.
type liveNode struct {
	Cluster
	*dice
	lag       int // maximum delay of the API server behind the node, in milliseconds
	rotates   bool
	short     bool // the first instance ends early
	loud      bool // instances also write lines during pauses
	noNewline bool // the last line of an instance has no newline

	mu        sync.Mutex
	instances []*liveInstance
	status    view // as the API server shows it
	breaks    int  // number of streams that will still break
	away      bool // all streams break
	cut       bool // the last stream that did not follow ended well before the end of the log
}

// dice returns random numbers to several goroutines.
type dice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func newDice(seed uint64) *dice { return &dice{rand: rand.New(rand.NewPCG(seed, 1))} }

// roll returns a number less than n.
func (d *dice) roll(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}

// liveInstance is one instance and its log.
type liveInstance struct {
	id        string
	files     [][]testLine // the newest at the end
	lines     int          // in all of them
	end       time.Time
	noNewline bool // the last line has no newline
}

// change calls do while no request is being answered.
func (n *liveNode) change(do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do()
}

// view returns the container's view on the node.
func (n *liveNode) view() view {
	var v view
	var end time.Time // of the previous instance
	for _, x := range n.instances {
		if v.previous = v.current; v.previous != "" {
			v.previousEnd = end.Truncate(time.Second).UnixNano()
		}
		v.current, v.ended, end = x.id, !x.end.IsZero(), x.end
	}
	return v
}

// StreamLogs implements Streamer.
func (n *liveNode) StreamLogs(_ context.Context, _, _ string, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := len(n.instances) - 1
	if opts.Previous {
		i--
	}
	if i < 0 || n.away {
		return nil, errReset
	}
	of := n.instances[i]
	s := &liveStream{n: n, of: of, file: len(of.files) - 1, follow: opts.Follow, left: 1 << 30, end: io.EOF}
	if opts.SinceTime != nil {
		s.since = opts.SinceTime.UnixNano()
	}
	if opts.TailLines != nil {
		s.next = max(0, len(of.files[s.file])-int(*opts.TailLines))
	}
	if n.breaks > 0 && opts.TailLines == nil {
		n.breaks--
		if n.roll(4) == 0 {
			return nil, errReset
		}
		s.left, s.end = n.roll(4000), n.breakWith(opts.Follow)
	}
	return s, nil
}

// breakWith returns the error with which a stream breaks. If the kubelet disappears behind the API server, the stream
// ends well.
func (n *liveNode) breakWith(follow bool) error {
	well := n.roll(3) > 0 && !n.rotates && n.lag < 10000 // otherwise half a line looks like a line in two files
	if !follow {
		well = well && !n.cut // not twice in a row
		n.cut = n.cut || well
	}
	if well {
		return io.EOF
	}
	return errReset
}

// liveStream is one stream.
type liveStream struct {
	n      *liveNode
	of     *liveInstance
	follow bool
	since  int64
	file   int    // the file that the stream sends
	next   int    // the line to send next
	waited bool   // the stream has reached the end of the newest file, and notices rotations from then on
	ready  string // the unread part of the lines before next
	left   int    // bytes until the stream breaks
	end    error
	closed bool
}

// Read implements io.Reader.
func (s *liveStream) Read(p []byte) (int, error) {
	for {
		n, err := s.now(p)
		if n > 0 || err != nil {
			return n, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// now reads the existing lines, a few at a time.
func (s *liveStream) now(p []byte) (int, error) {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	switch {
	case s.closed:
		return 0, io.ErrClosedPipe
	case s.n.away:
		return 0, errReset
	}
	newest := s.file == len(s.of.files)-1
	for file := s.of.files[s.file]; len(s.ready) < 200 && s.next < len(file); s.next++ {
		if l := file[s.next]; l.at >= s.since {
			s.ready += stamped([]testLine{l})
		}
		if s.of.noNewline && newest && s.next == len(file)-1 {
			s.ready = strings.TrimSuffix(s.ready, "\n")
		}
	}
	n := copy(p, s.ready[:min(len(s.ready), s.left)])
	s.ready, s.left = s.ready[n:], s.left-n
	switch {
	case s.left == 0:
		return n, s.end
	case n > 0 || s.next < len(s.of.files[s.file]):
		return n, nil
	case s.waited && !newest:
		s.file, s.next = s.file+1, 0
		return 0, nil
	case !s.follow || !s.of.end.IsZero():
		return 0, s.end
	default:
		s.waited = s.waited || newest
		return 0, nil
	}
}

// Close implements io.Closer.
func (s *liveStream) Close() error {
	s.n.change(func() { s.closed = true })
	return nil
}

// run starts and ends instances, and calls tell after a delay.
func (n *liveNode) run(tell func(view)) {
	news := make(chan struct{}, 1)
	var statusUpdates sync.WaitGroup
	statusUpdates.Go(func() {
		for range news {
			n.sleep(n.lag)
			var now view
			n.change(func() { n.status = n.view(); now = n.status })
			n.sleep(200)
			tell(now)
		}
	})
	report := func() {
		select {
		case news <- struct{}{}:
		default: // the next report includes this one
		}
	}
	for i := range 4 {
		x := &liveInstance{id: fmt.Sprint("instance ", i), files: [][]testLine{nil}}
		n.change(func() { n.instances = append(n.instances, x); n.breaks, n.cut = n.roll(8), false })
		report()
		pause := n.roll(20)
		for burst := range 20 {
			switch {
			case n.short && i == 0 && burst > 2:
				continue
			case burst == pause && (!n.short || i > 0): // until the previous instance's log has been read
				for begin := time.Now(); time.Since(begin) < time.Duration(15000+n.lag)*time.Millisecond; {
					time.Sleep(time.Second / 2)
					if n.loud {
						n.change(func() { n.write(i, x, 1) })
					}
				}
				if n.rotates {
					n.change(func() { x.files = append(x.files, nil) })
				}
			}
			n.sleep(400)
			n.change(func() { n.write(i, x, n.roll(30)) })
		}
		n.change(func() {
			n.write(i, x, 1)
			x.end, x.noNewline = time.Now(), n.noNewline
		})
		n.sleep(100)
		report()
		time.Sleep(time.Duration(n.roll(2)) * 10 * time.Second) // restart at once or after a while
	}
	close(news)
	statusUpdates.Wait()
	time.Sleep(time.Minute)
	tell(view{podGone: true})
}

// write writes lines without pauses.
func (n *liveNode) write(i int, x *liveInstance, lines int) {
	at := time.Now().UnixNano()
	for range lines {
		at += int64(n.roll(3))
		l := testLine{at, fmt.Sprintf("%d/%d", i, x.lines)}
		x.lines++
		newest := &x.files[len(x.files)-1]
		*newest = append(*newest, l)
	}
}

// sleep sleeps for less than most milliseconds.
func (n *liveNode) sleep(most int) {
	time.Sleep(time.Duration(n.roll(most)) * time.Millisecond)
}
