package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fakeNode is a kubelet whose streams break after some bytes, in each of the ways in which they do.
type fakeNode struct {
	mu    sync.Mutex
	rand  *rand.Rand
	file  []testLine
	ended bool // whether the pod's status says that the container has ended
	opens int
}

var errReset = errors.New("connection reset by peer")

// StreamLogs implements Streamer as the kubelet does: lines from the second asked for on.
func (n *fakeNode) StreamLogs(_ context.Context, _, _ string, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opens++
	if n.rand.IntN(5) == 0 {
		return nil, errReset
	}
	var b bytes.Buffer
	for _, l := range n.file {
		if opts.SinceTime == nil || l.at >= opts.SinceTime.UnixNano() {
			fmt.Fprintf(&b, "%s %s\n", time.Unix(0, l.at).UTC().Format("2006-01-02T15:04:05.000000000Z07:00"), l.text)
		}
	}
	data, end := b.Bytes(), io.EOF
	if n.opens < 30 {
		data = data[:n.rand.IntN(len(data)+1)]
		if n.rand.IntN(2) == 0 {
			end = errReset
		}
	} else {
		n.ended = true
	}
	return io.NopCloser(io.MultiReader(bytes.NewReader(data), failing{end})), nil
}

// FindPod implements podFinder.
func (n *fakeNode) FindPod(context.Context, string, string) (*corev1.Pod, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return fakePod(n.ended), nil
}

func fakePod(ended bool) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pod", UID: "1"}}
	s := corev1.ContainerStatus{Name: "c", ContainerID: "id"}
	if ended {
		s.State.Terminated = &corev1.ContainerStateTerminated{ContainerID: "id"}
	} else {
		s.State.Running = &corev1.ContainerStateRunning{}
	}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{s}
	return p
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Streams that break anywhere, in the middle of lines too, give each line once, and long ones each byte.
func TestBrokenStreams(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) { // whose clock does not wait
			n := &fakeNode{rand: rand.New(rand.NewPCG(seed, 1)), file: numbered(300)}
			long := strings.Repeat("long", wholeLimit)
			n.file[150].text = long
			var out bytes.Buffer
			err := Copy(t.Context(), n, fakePod(false), "c", CopySink{Out: &out, Say: func(string) {}})
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Join(texts(n.file), "\n") + "\n"
			if got := joinLong(out.String()); got != want {
				t.Errorf("seed %d: %d bytes, want %d, after %d streams", seed, len(got), len(want), n.opens)
			}
		})
	}
}

// joinLong takes out the ends of line where the long line was passed on in parts.
func joinLong(text string) string {
	from, to := strings.Index(text, "longlong"), strings.LastIndex(text, "long\n")
	return text[:from] + strings.ReplaceAll(text[from:to], "\n", "") + text[to:]
}

// An output that cannot be written to ends it.
func TestBrokenOutput(t *testing.T) {
	n := &fakeNode{rand: rand.New(rand.NewPCG(1, 1)), file: numbered(300)}
	broken := errors.New("no space left on device")
	if err := Copy(t.Context(), n, fakePod(false), "c", CopySink{Out: failingWriter{broken}, Say: func(string) {}}); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

// A line that stalls in the middle lets others write, and goes on as one of its own.
func TestStalledLine(t *testing.T) {
	var mu sync.Mutex
	var buf bytes.Buffer
	out := &output{w: &block{to: &buf, mu: &mu}, fail: func(err error) { t.Error(err) }}
	a, b := &lineWriter{out: out, format: plain{}}, &lineWriter{out: out, format: plain{}}
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	must(a.take(piece{text: []byte("half"), begin: true}))
	must(a.idle())
	must(b.take(piece{text: []byte("other"), begin: true, end: true}))
	must(b.flush()) // waits until a has stalled for long enough
	must(a.take(piece{text: []byte("rest"), end: true}))
	if got := buf.String(); got != "half\nother\nrest\n" {
		t.Errorf("got %q", got)
	}
}

type block struct {
	to io.Writer
	mu *sync.Mutex
}

func (b *block) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.to.Write(p)
}

// leavingNode is a kubelet on which a pod ends while its stream is still in a file that was rotated away: the stream ends there, and the pod
// is gone at once.
type leavingNode struct {
	w        *witness
	then     view   // what is known when the stream has ended
	says     string // what a stream says that is opened after that
	old, new []testLine
	opens    int
}

// StreamLogs implements Streamer. The second stream is opened while the first is not yet at its end.
func (n *leavingNode) StreamLogs(_ context.Context, _, _ string, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	n.opens++
	switch n.opens {
	case 1:
		return io.NopCloser(io.MultiReader(strings.NewReader(stamped(n.old[:5])), &onRead{func() { n.w.tell(view{current: "id", leaving: true}) }},
			&onRead{func() { time.Sleep(time.Second); n.w.tell(n.then) }}, strings.NewReader(stamped(n.old[5:])))), nil
	case 2:
		if opts.SinceTime == nil || opts.SinceTime.UnixNano() > n.new[0].at {
			return nil, fmt.Errorf("since %v", opts.SinceTime)
		}
		return io.NopCloser(strings.NewReader(stamped(n.new))), nil
	default:
		if n.says == "" {
			return nil, errors.New("the pod is gone")
		}
		return io.NopCloser(strings.NewReader(n.says)), nil
	}
}

// onRead does something when it is come to, and gives nothing.
type onRead struct{ do func() }

func (o *onRead) Read([]byte) (int, error) {
	o.do()
	return 0, io.EOF
}

func stamped(lines []testLine) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s %s\n", time.Unix(0, l.at).UTC().Format("2006-01-02T15:04:05.000000000Z07:00"), l.text)
	}
	return b.String()
}

// testReader is a reader that follows an instance.
func testReader(streams Streamer, instance string, out io.Writer, warn func(string)) *reader {
	return &reader{
		streams: streams, instance: instance, follow: true, to: &lineWriter{out: &output{w: out}, format: plain{}}, slots: newSlots(1), ids: newHasher(),
		say: func(string) {}, warn: warn,
	}
}

// The end of a log is not lost where it is deleted before the stream has come to it, whatever the pod's status says by then.
func TestLogDeletedBeforeItWasRead(t *testing.T) {
	const missing = `failed to try resolving symlinks in path "/var/log/pods/p/c/0.log": lstat /var/log/pods/p/c/0.log: no such file or directory`
	for _, c := range []struct {
		name string
		then view
		says string
	}{
		{"pod gone", view{gone: true}, ""},
		{"still running", view{current: "id", leaving: true}, missing},
		{"ended", view{current: "id", ended: true, leaving: true}, "unable to retrieve container logs for containerd://0123\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lines := numbered(40)
				w := newWitness(func(context.Context) (view, error) { return c.then, nil })
				w.tell(view{current: "id"})
				n := &leavingNode{w: w, then: c.then, says: c.says, old: lines[:20], new: lines[20:]}
				var out bytes.Buffer
				r := testReader(n, "id", &out, func(text string) { t.Error(text) })
				if err := r.read(t.Context(), w); err != nil {
					t.Fatal(err)
				}
				if want := strings.Join(texts(lines), "\n") + "\n"; out.String() != want {
					t.Errorf("got %q, want %q", out.String(), want)
				}
			})
		})
	}
}

// A log that was never there to be read is told of, once, and no line of the kubelet's is taken for one of the container's.
func TestDeletedLog(t *testing.T) {
	for _, follow := range []bool{false, true} {
		n := &leavingNode{opens: 2, says: "unable to retrieve container logs for containerd://0123"}
		w := newWitness(nil)
		w.tell(view{current: "next", previous: "id"})
		var out bytes.Buffer
		var warned []string
		r := testReader(n, "id", &out, func(text string) { warned = append(warned, text) })
		r.pod, r.container, r.follow = "p", "c", follow
		if err := r.read(t.Context(), w); err != nil || out.Len() > 0 || len(warned) != 1 || !strings.Contains(warned[0], "p/c: the kubelet has deleted this log") {
			t.Errorf("follow %v: error %v, output %q, warnings %q", follow, err, out.String(), warned)
		}
	}
}
