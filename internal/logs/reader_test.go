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

// fakeNode is a kubelet whose streams break after some bytes, with io.EOF or with another error.
type fakeNode struct {
	mu    sync.Mutex
	rand  *rand.Rand
	file  []testLine
	ended bool // according to the Pod's status
	opens int
}

var errReset = errors.New("connection reset by peer")

// StreamLogs implements Streamer. Like the kubelet, it sends lines from the requested second on.
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

// Even if streams break anywhere, also inside lines, each line is shown once, and each byte of a long line once.
func TestBrokenStreams(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			n := &fakeNode{rand: rand.New(rand.NewPCG(seed, 1)), file: numbered(300)}
			long := strings.Repeat("long", wholeLimit)
			n.file[150].text = long
			var out bytes.Buffer
			err := Stream(t.Context(), n, fakePod(false), "c", StreamSink{Out: &out, Warn: func(string) {}})
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

// joinLong removes the newlines between the parts of the long line.
func joinLong(text string) string {
	from, to := strings.Index(text, "longlong"), strings.LastIndex(text, "long\n")
	return text[:from] + strings.ReplaceAll(text[from:to], "\n", "") + text[to:]
}

// If the output is not writable, the stream ends.
func TestBrokenOutput(t *testing.T) {
	n := &fakeNode{rand: rand.New(rand.NewPCG(1, 1)), file: numbered(300)}
	broken := errors.New("no space left on device")
	to := StreamSink{Out: failingWriter{broken}, Warn: func(string) {}}
	if err := Stream(t.Context(), n, fakePod(false), "c", to); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

// A stalled line unblocks the output. Its rest becomes a separate line.
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
	must(b.flush()) // waits for longestStall
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

// leavingNode is a kubelet that deletes a Pod while the stream of its log is still in a rotated file. The stream ends
// at the end of that file, and the log disappears at once.
type leavingNode struct {
	w        *containerWatch
	then     view   // the view after the end of the first stream
	says     string // sent in later streams
	old, new []testLine
	opens    int
}

// StreamLogs implements Streamer. The second stream is opened before the end of the first.
func (n *leavingNode) StreamLogs(_ context.Context, _, _ string, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	n.opens++
	switch n.opens {
	case 1:
		return io.NopCloser(io.MultiReader(
			strings.NewReader(stamped(n.old[:5])),
			&onRead{func() { n.w.update(view{current: "id", terminating: true}) }},
			&onRead{func() { time.Sleep(time.Second); n.w.update(n.then) }},
			strings.NewReader(stamped(n.old[5:])),
		)), nil
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

// onRead is an empty reader that calls do on Read.
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

// testReader returns a reader that follows an instance.
func testReader(streams Streamer, instance string, out io.Writer, warn func(string)) *reader {
	return &reader{
		log: containerLog{streams: streams, slots: newSlots(1)}, instance: instance, follow: true,
		to: &lineWriter{out: &output{w: out}, format: plain{}}, ids: newHasher(), debug: func(string) {}, warn: warn,
	}
}

// If a log is deleted before its stream reaches the end, the end is not lost, for any status of the Pod.
func TestLogDeletedBeforeItWasRead(t *testing.T) {
	const missing = `failed to try resolving symlinks in path "/var/log/pods/p/c/0.log": ` +
		`lstat /var/log/pods/p/c/0.log: no such file or directory`
	const unavailable = "unable to retrieve container logs for containerd://0123\n"
	for _, c := range []struct {
		name string
		then view
		says string
	}{
		{"pod gone", view{podGone: true}, ""},
		{"still running", view{current: "id", terminating: true}, missing},
		{"ended", view{current: "id", ended: true, terminating: true}, unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lines := numbered(40)
				w := newContainerWatch(func(context.Context) (view, error) { return c.then, nil })
				w.update(view{current: "id"})
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

// If a log was deleted before norn could read it, there is one warning. The kubelet's text is not shown as a line.
func TestDeletedLog(t *testing.T) {
	for _, follow := range []bool{false, true} {
		n := &leavingNode{opens: 2, says: "unable to retrieve container logs for containerd://0123"}
		w := newContainerWatch(nil)
		w.update(view{current: "next", previous: "id"})
		var out bytes.Buffer
		var warned []string
		r := testReader(n, "id", &out, func(text string) { warned = append(warned, text) })
		r.log.pod, r.log.container, r.follow = "p", "c", follow
		err := r.read(t.Context(), w)
		const want = "p/c: the kubelet has deleted this log"
		if err != nil || out.Len() > 0 || len(warned) != 1 || !strings.Contains(warned[0], want) {
			t.Errorf("follow %v: error %v, output %q, warnings %q", follow, err, out.String(), warned)
		}
	}
}
