package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// flappingNode is a kubelet that is restarted while a container runs: for a while the pod's status says something else of it.
type flappingNode struct {
	Cluster
	lines []testLine
	stop  chan struct{} // breaks the first stream

	mu      sync.Mutex
	opens   int
	written int // lines that there are
}

// StreamLogs implements Streamer: the first stream breaks when the test says so.
func (n *flappingNode) StreamLogs(_ context.Context, _, _ string, opts *corev1.PodLogOptions) (io.ReadCloser, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opens++
	file := n.lines[:n.written]
	for opts.SinceTime != nil && len(file) > 0 && file[0].at < opts.SinceTime.UnixNano() {
		file = file[1:]
	}
	var end io.Reader = failing{io.EOF}
	if n.opens == 1 {
		end = io.MultiReader(&onRead{func() { <-n.stop }}, failing{errReset})
	}
	return io.NopCloser(io.MultiReader(strings.NewReader(stamped(file)), end)), nil
}

func (n *flappingNode) write(lines int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.written += lines
}

// FindPod implements podFinder.
func (n *flappingNode) FindPod(context.Context, string, string) (*corev1.Pod, error) {
	return nil, errors.New("the API server is away")
}

// A container whose status is lost for a while, or says that it has ended, is read on where its reader was.
func TestStatusThatComesBack(t *testing.T) {
	const running = "id"
	for _, c := range []struct {
		name  string
		while view
	}{
		{"nothing known", view{}},
		{"ended", view{current: running, ended: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &flappingNode{lines: numbered(40), stop: make(chan struct{})}
				var out bytes.Buffer
				s := &session{
					Options: Options{Follow: true}, cluster: n, ids: newHasher(), slots: newSlots(1), cancel: func(error) {},
					sink: Sink{Format: func(Origin) Format { return plain{} }, Warn: func(string) {}, Debug: func(string) {}},
				}
				f := &follower{session: s, out: &output{w: &out}, streams: make(chan struct{}, 1)}
				w := newWitness(func(context.Context) (view, error) { return view{}, errors.New("the API server is away") })
				tail := &tail{follower: f, pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pod"}}, w: w, late: true}
				n.write(20)
				w.tell(view{current: running})
				done := make(chan error, 1)
				go func() { done <- tail.run(t.Context()) }()
				synctest.Wait()
				n.write(10)
				w.tell(c.while)
				close(n.stop)
				time.Sleep(time.Minute)
				n.write(10)
				w.tell(view{current: running})
				time.Sleep(time.Minute)
				w.tell(view{current: running, ended: true})
				time.Sleep(time.Minute)
				w.tell(view{gone: true})
				if err := <-done; err != nil {
					t.Error(err)
				}
				if want := strings.Join(texts(n.lines), "\n") + "\n"; out.String() != want {
					t.Errorf("got %q\nwant %q", out.String(), want)
				}
			})
		})
	}
}
