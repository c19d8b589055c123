package logs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/rollout"
)

// testKubelet serves the logs of one container's instances, a file each, as the kubelet does: the current one's, or the previous one's.
type testKubelet struct {
	Cluster

	mu                sync.Mutex
	files             map[string][]testLine // by instance
	current, previous string
	ended             bool // whether the current one has
	requests          int
	says              func(*corev1.PodLogOptions) string // in place of a log, if it is anything

	breaks chan error      // ends a stream that follows
	writes chan []testLine // goes to a stream that follows
}

func newTestKubelet(current string, file []testLine) *testKubelet {
	return &testKubelet{
		files: map[string][]testLine{current: file}, current: current, says: func(*corev1.PodLogOptions) string { return "" },
		breaks: make(chan error), writes: make(chan []testLine),
	}
}

// StreamLogs implements Streamer.
func (k *testKubelet) StreamLogs(ctx context.Context, _, _ string, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.requests++
	if text := k.says(opts); text != "" {
		return io.NopCloser(strings.NewReader(text)), nil
	}
	file := k.files[k.current]
	if opts.Previous {
		file = k.files[k.previous]
	}
	if n := opts.TailLines; n != nil && *n < int64(len(file)) {
		file = file[int64(len(file))-*n:]
	}
	file = slices.DeleteFunc(slices.Clone(file), func(l testLine) bool { return opts.SinceTime != nil && l.at < opts.SinceTime.UnixNano() })
	if !opts.Follow || k.ended {
		return io.NopCloser(strings.NewReader(stamped(file))), nil
	}
	r, w := io.Pipe()
	go func() {
		_, _ = io.WriteString(w, stamped(file))
		for {
			select {
			case <-ctx.Done():
				_ = w.Close()
				return
			case err := <-k.breaks:
				_ = w.CloseWithError(err)
				return
			case lines := <-k.writes:
				_, _ = io.WriteString(w, stamped(lines))
			}
		}
	}()
	return r, nil
}

// Observe implements Cluster: the one pod, as long as anybody looks.
func (k *testKubelet) Observe(ctx context.Context, _, _ string, see func(rollout.Observation) (bool, error)) error {
	if done, err := see(rollout.Observation{Pods: []*corev1.Pod{fakePod(false)}}); done || err != nil {
		return err
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// FindPod implements podFinder.
func (k *testKubelet) FindPod(context.Context, string, string) (*corev1.Pod, error) {
	return nil, errors.New("the API server is away")
}

// change is done while no request is answered.
func (k *testKubelet) change(do func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	do()
}

// followed is what a reader of instance "x" shows in so long, and what it warns of; 0 is one that does not follow.
func (k *testKubelet) followed(t *testing.T, d time.Duration, first corev1.PodLogOptions) (lines, warned []string) {
	t.Helper()
	var out bytes.Buffer
	w := newWitness(func(context.Context) (view, error) { return view{current: "x"}, nil })
	w.tell(view{current: "x"})
	r := testReader(k, "x", &out, func(text string) { warned = append(warned, text) })
	r.first, r.follow = first, d > 0
	ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(d, 24*time.Hour))
	defer cancel()
	if err := r.read(ctx, w); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	synctest.Wait()
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"), warned
}

// tail is a tail of the kubelet's container, what it shows and what it warns of.
func (k *testKubelet) tail(ask func() view) (t *tail, out *bytes.Buffer, warned *[]string) {
	out, warned = &bytes.Buffer{}, &[]string{}
	s := &session{
		Options: Options{Follow: true, Tail: -1}, cluster: k, ids: newHasher(), slots: newSlots(1), cancel: func(error) {},
		sink: Sink{Format: func(Origin) Format { return plain{} }, Warn: func(text string) { *warned = append(*warned, text) }, Debug: func(string) {}},
	}
	w := newWitness(func(context.Context) (view, error) { return ask(), nil })
	w.tell(ask())
	f := &follower{session: s, out: &output{w: out}, streams: make(chan struct{}, 1)}
	return &tail{follower: f, pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pod"}}, w: w}, out, warned
}

// steady are lines of which one is written each step of nanoseconds.
func steady(n int, step int64) []testLine {
	var file []testLine
	for i := range n {
		file = append(file, testLine{5*second + int64(i)*step, fmt.Sprintf("line %d", i)})
	}
	return file
}

// A node's clock that is set back makes no line old.
func TestClockSetBack(t *testing.T) {
	file := steady(3000, second/1000)
	for i := range file[1000:] {
		file[1000+i].at -= second
	}
	for _, d := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			got, warned := newTestKubelet("x", file).followed(t, d, corev1.PodLogOptions{})
			if !slices.Equal(got, texts(file)) || len(warned) > 0 {
				t.Errorf("followed for %s: %d lines of %d, warned %q", d, len(got), len(file), warned)
			}
		})
	}
}

// A file that the kubelet sends once more is shown once, and the one that it has skipped is told of.
func TestFileSentTwice(t *testing.T) {
	for _, lines := range []int{2, 64, 65, 1000} {
		synctest.Test(t, func(t *testing.T) {
			file := steady(2000, second/1000)
			k := newTestKubelet("x", file[:100])
			newest := file[500 : 500+lines]
			go func() {
				time.Sleep(time.Second)
				k.change(func() { k.files["x"] = newest })
				k.writes <- newest
				k.writes <- newest
				k.writes <- file[500+lines:]
			}()
			got, warned := k.followed(t, time.Minute, corev1.PodLogOptions{})
			if want := append(texts(file[:100]), texts(file[500:])...); !slices.Equal(got, want) {
				t.Errorf("%d lines sent twice: got %d, want %d", lines, len(got), len(want))
			}
			if len(warned) != 1 || !strings.Contains(warned[0], "rotated more than once") {
				t.Errorf("warned %q", warned)
			}
		})
	}
}

// Lines before those that were asked for are not shown where a stream is opened again, though they are of the same second.
func TestTailOfABusySecond(t *testing.T) {
	for _, tail := range []int64{0, 3, 150} {
		synctest.Test(t, func(t *testing.T) {
			file := steady(220, 1000)
			k := newTestKubelet("x", file[:200])
			go func() {
				time.Sleep(10 * time.Second)
				k.change(func() { k.files["x"] = file })
				k.breaks <- errReset
			}()
			got, warned := k.followed(t, time.Minute, corev1.PodLogOptions{TailLines: &tail})
			if want := texts(file[200-tail:]); !slices.Equal(got, want) || len(warned) > 0 {
				t.Errorf("--tail %d: got %d lines, want %d; warned %q", tail, len(got), len(want), warned)
			}
		})
	}
}

// An instance that had ended before norn came is not shown after the one that followed it.
func TestEarlierInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKubelet("x", steady(3, second))
		k.previous, k.ended, k.files["w"] = "w", true, []testLine{{second, "failure"}}
		tail, out, warned := k.tail(func() view { return view{current: "x", ended: true, previous: "w"} })
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := tail.run(ctx); err != nil {
			t.Error(err)
		}
		if want := "line 0\nline 1\nline 2\n"; out.String() != want || len(*warned) > 0 {
			t.Errorf("got %q, warned %q", out.String(), *warned)
		}
	})
}

// A container's next instance, whose log the kubelet serves before the pod's status names it, is shown once.
func TestNextInstanceBeforeItsStatus(t *testing.T) {
	for _, x := range [][]testLine{steady(2, second), nil} {
		synctest.Test(t, func(t *testing.T) {
			k := newTestKubelet("x", x)
			now := view{current: "x"}
			tail, out, warned := k.tail(func() view { k.mu.Lock(); defer k.mu.Unlock(); return now })
			tail.late = true
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- tail.run(ctx) }()
			time.Sleep(10 * time.Second)
			k.change(func() { k.current, k.previous = "y", "x" })
			k.breaks <- io.EOF
			time.Sleep(500 * time.Millisecond) // the stream has been opened again
			y := []testLine{{20 * second, "first of y"}, {21 * second, "second of y"}}
			k.change(func() { k.files["y"] = y })
			k.writes <- y
			time.Sleep(2 * time.Second)
			k.change(func() { now = view{current: "y", previous: "x"} })
			tail.w.tell(now)
			time.Sleep(time.Minute)
			k.change(func() { k.ended, now = true, view{current: "y", ended: true, previous: "x"} })
			tail.w.tell(now)
			k.breaks <- io.EOF
			if err := <-done; err != nil {
				t.Error(err)
			}
			if want := strings.Join(append(texts(x), texts(y)...), "\n") + "\n"; out.String() != want || len(*warned) > 0 {
				t.Errorf("got %q, want %q, warned %q", out.String(), want, *warned)
			}
		})
	}
}

// A container whose first stream ends at once, since it is just being started, is not kept waiting.
func TestJustStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKubelet("x", nil)
		tail, out, _ := k.tail(func() view { return view{current: "x"} })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- tail.run(ctx) }()
		synctest.Wait()
		k.breaks <- io.EOF
		time.Sleep(time.Second)
		k.writes <- steady(1, 1)
		time.Sleep(time.Second)
		synctest.Wait()
		if out.String() != "line 0\n" {
			t.Errorf("got %q", out.String())
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// That the container runtime does not name a container for a moment does not mean that its log is gone.
func TestRuntimeAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := steady(3, second)
		k := newTestKubelet("x", file)
		k.says = func(*corev1.PodLogOptions) string {
			if k.requests > 2 {
				return ""
			}
			return "unable to retrieve container logs for containerd://x"
		}
		got, warned := k.followed(t, 0, corev1.PodLogOptions{})
		if !slices.Equal(got, texts(file)) || len(warned) > 0 {
			t.Errorf("got %q, warned %q", got, warned)
		}
	})
}

// What a silent container costs: nothing for long. The kubelet's last line of a long one is its last part, with a time of its own.
func TestSilenceIsCheap(t *testing.T) {
	long := []testLine{{5 * second, "a"}, {6 * second, strings.Repeat("x", 16<<10) + "rest"}}
	for _, c := range []struct {
		name     string
		file     []testLine
		last     string
		requests int
	}{
		{"wrote nothing", nil, "", 2},
		{"long last line", long, stamped([]testLine{{6*second + 1500, "rest"}}), 8}, // two streams in vain
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKubelet("x", c.file)
				k.says = func(opts *corev1.PodLogOptions) string {
					if opts.TailLines != nil {
						return c.last
					}
					return ""
				}
				_, warned := k.followed(t, 24*time.Hour, corev1.PodLogOptions{})
				if k.requests != c.requests || len(warned) > 0 {
					t.Errorf("%d requests, want %d; warned %q", k.requests, c.requests, warned)
				}
			})
		})
	}
}

// With an end that has passed, following is reading.
func TestFollowUntilThePast(t *testing.T) {
	now := time.Now()
	k := newTestKubelet("id", []testLine{{now.Add(-time.Hour).UnixNano(), "old"}, {now.UnixNano(), "new"}})
	var out bytes.Buffer
	err := Run(t.Context(), k, Options{Follow: true, Tail: -1, Lines: Lines{Until: now.Add(-time.Minute).UnixNano()}},
		Sink{Out: &out, Format: func(Origin) Format { return plain{} }, Warn: func(text string) { t.Error(text) }, Debug: func(string) {}, Notice: func(string) {}})
	if err != nil || out.String() != "old\n" {
		t.Errorf("got %q, error %v", out.String(), err)
	}
}
