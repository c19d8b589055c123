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

// testKubelet serves the logs of one container like the kubelet: the log of the current or the previous instance. Each
// instance has one file.
type testKubelet struct {
	Cluster

	mu                sync.Mutex
	files             map[string][]testLine // by instance
	current, previous string
	ended             bool // the current instance has ended
	requests          int
	says              func(*corev1.PodLogOptions) string // sent instead of a log, unless empty

	breaks chan error      // ends a stream that follows
	writes chan []testLine // sent to a stream that follows
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
	file = slices.DeleteFunc(slices.Clone(file), func(l testLine) bool {
		return opts.SinceTime != nil && l.at < opts.SinceTime.UnixNano()
	})
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

// Observe implements Cluster. It shows the single Pod and waits until ctx ends.
func (k *testKubelet) Observe(ctx context.Context, _, _, _ string, see func(rollout.Observation) (bool, error)) error {
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

// change calls do while no request is being answered.
func (k *testKubelet) change(do func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	do()
}

// readLines returns the lines and warnings of a reader of instance "x". The reader follows for d, or not at all if d
// is 0.
func (k *testKubelet) readLines(t *testing.T, d time.Duration, first corev1.PodLogOptions) (lines, warned []string) {
	t.Helper()
	var out bytes.Buffer
	w := newContainerWatch(func(context.Context) (view, error) { return view{current: "x"}, nil })
	w.update(view{current: "x"})
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

// tail returns a tail of the kubelet's container, its output and its warnings.
func (k *testKubelet) tail(ask func() view) (t *tail, out *bytes.Buffer, warned *[]string) {
	out, warned = &bytes.Buffer{}, &[]string{}
	s := &session{
		opts: Options{Follow: true, Tail: -1}, cluster: k, ids: newHasher(), slots: newSlots(1), cancel: func(error) {},
		sink: Sink{
			Format: func(Origin) Format { return plain{} },
			Warn:   func(text string) { *warned = append(*warned, text) },
			Debug:  func(string) {},
		},
	}
	w := newContainerWatch(func(context.Context) (view, error) { return ask(), nil })
	w.update(ask())
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pod"}}
	return &tail{session: s, out: &output{w: out}, streams: make(chan struct{}, 1), pod: pod, watch: w}, out, warned
}

// steady returns n lines, one every step nanoseconds.
func steady(n int, step int64) []testLine {
	var file []testLine
	for i := range n {
		file = append(file, testLine{5*second + int64(i)*step, fmt.Sprintf("line %d", i)})
	}
	return file
}
