package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// stuckNode is a kubelet that rotated the log before its first stream reached the end of the file. That stream stays
// in the old file forever.
type stuckNode struct {
	old, new []testLine
	follows  int
	checks   []time.Duration // times of the checks of the log's end, since begin
	begin    time.Time
	answer   error // for a stream that does not follow
}

// StreamLogs implements Streamer.
func (n *stuckNode) StreamLogs(ctx context.Context, _, _ string, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	if !opts.Follow {
		n.checks = append(n.checks, time.Since(n.begin))
		if *opts.TailLines != 1 || opts.SinceTime != nil {
			return nil, errors.New("more than the last line was requested")
		}
		last := n.new
		if len(last) == 0 {
			last = n.old
		}
		return io.NopCloser(strings.NewReader(stamped(last[len(last)-1:]))), n.answer
	}
	n.follows++
	file := n.new
	if n.follows == 1 {
		file = n.old
	}
	r, w := io.Pipe()
	go func() {
		_, _ = io.WriteString(w, stamped(file))
		<-ctx.Done()
		_ = w.Close()
	}()
	return r, nil
}

// followFor follows the node's log for d.
func (n *stuckNode) followFor(t *testing.T, d time.Duration) string {
	t.Helper()
	n.begin = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	w := newContainerWatch(func(context.Context) (view, error) { return view{current: "id"}, nil })
	w.update(view{current: "id"})
	var out bytes.Buffer
	r := testReader(n, "id", &out, func(text string) { t.Error(text) })
	if err := r.read(ctx, w); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	synctest.Wait()
	return out.String()
}

// A stream that stays in an old file is closed, and the log continues with the new file.
func TestStuckInTheOldFile(t *testing.T) {
	for _, d := range []time.Duration{8 * time.Second, time.Hour} { // the first new line, and all later ones
		synctest.Test(t, func(t *testing.T) {
			lines := numbered(40)
			n := &stuckNode{old: lines[:20], new: lines[20:]}
			out := n.followFor(t, d)
			if want := strings.Join(texts(lines), "\n") + "\n"; out != want {
				t.Errorf("after %s: got %q, want %q", d, out, want)
			}
			if n.follows != 2 || len(n.checks) != 3 {
				t.Errorf("after %s: %d streams, checks at %v", d, n.follows, n.checks)
			}
		})
	}
}

// The detector closes a stream during a read, not between two reads.
func TestCloseIfWaiting(t *testing.T) {
	s := &rotationDetector{body: io.NopCloser(strings.NewReader("a line")), atNewest: true}
	_, _ = s.Read(make([]byte, 100))
	reads, _ := s.closeIfWaiting(0)
	if _, broken := s.closeIfWaiting(reads); broken {
		t.Error("the stream was closed between two reads")
	}
	s.countRead() // a read begins
	reads, _ = s.closeIfWaiting(reads)
	if _, broken := s.closeIfWaiting(reads); !broken {
		t.Error("the stream was not closed")
	}
}

// At the end of its log, a stream is checked once. If nobody answers, the checks become less and less frequent.
func TestSilentStream(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer error
		checks int
	}{{"at the end", nil, 1}, {"nobody answers", errReset, 16}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &stuckNode{old: numbered(20), answer: c.answer}
				out := n.followFor(t, 50*time.Minute)
				if want := strings.Join(texts(n.old), "\n") + "\n"; out != want {
					t.Errorf("got %q, want %q", out, want)
				}
				if n.follows != 1 || len(n.checks) != c.checks || n.checks[0] != quietBeforeCheck {
					t.Errorf("%d streams, %d checks, at %v", n.follows, len(n.checks), n.checks)
				}
			})
		})
	}
}
