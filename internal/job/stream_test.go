package job

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/rest"

	"norn/pkg/k8s"
)

// runningPod returns a Job's Pod whose container runs.
func runningPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-run-a", Namespace: "shops", UID: "p"},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{
			Name: "shop", ContainerID: "containerd://1",
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		}}},
	}
}

// serveJob serves runningPod, whose container writes a line to stdout, and to stderr without end. It denies to attach.
func serveJob(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	flush := w.(http.Flusher).Flush
	switch path := r.URL.Path; {
	case path == "/version":
		_ = json.NewEncoder(w).Encode(version.Info{Major: "1", Minor: "36", GitVersion: "v1.36.0"})
	case strings.HasSuffix(path, "/attach"):
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
			Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden,
			Message: `pods "x" is forbidden: User "ci" cannot create resource "pods/attach" in API group "" in the ` +
				`namespace "shops"`,
		})
	case strings.HasSuffix(path, "/log"):
		_, _ = io.WriteString(w, "2026-01-01T00:00:00Z line\n")
		flush()
		for i := 1; r.URL.Query().Get("stream") == corev1.LogStreamStderr && r.Context().Err() == nil; i++ {
			_, _ = io.WriteString(w, "2026-01-01T00:00:00Z more\n")
		}
		<-r.Context().Done()
	case r.URL.Query().Has("sendInitialEvents"):
		http.Error(w, "{}", http.StatusUnprocessableEntity) // client-go then lists
	case r.URL.Query().Has("watch"):
		w.WriteHeader(http.StatusOK)
		flush()
		<-r.Context().Done()
	default:
		_ = json.NewEncoder(w).Encode(corev1.PodList{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"},
			ListMeta: metav1.ListMeta{ResourceVersion: "1"}, Items: []corev1.Pod{*runningPod()},
		})
	}
}

func jobCluster(t *testing.T) *k8s.Client {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(serveJob))
	t.Cleanup(api.Close)
	cluster, err := k8s.New(&rest.Config{Host: api.URL}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

// goneReader is an output that nobody reads any more.
type goneReader struct{}

func (goneReader) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// The run ends when nobody reads one of its streams any more, even if the other one goes on.
func TestStreamGone(t *testing.T) {
	r := Request{Namespace: "shops", App: "shop", Out: goneReader{}, Err: io.Discard, Say: func(string) {}}
	c := container("shop")
	_, err := showToEnd(t.Context(), jobCluster(t), r, runningPod(), target{"shop-run", c, c.hasEnded})
	if !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v, want a broken pipe", err)
	}
}

// An idle pipe that cannot be passed does not end a Job that might not need it.
func TestIdleInputCannotBePassed(t *testing.T) {
	idle, w := io.Pipe()
	defer func() { _ = w.Close() }()
	said, failed := make(chan string, 1), make(chan error, 1)
	r := Request{Say: func(text string) { said <- text }}
	p := pass(t.Context(), jobCluster(t), r, attachment{runningPod(), "shop", newInput(idle)}, func(err error) {
		failed <- err
	})
	select {
	case text := <-said:
		if !strings.HasPrefix(text, "the command gets no standard input: ") {
			t.Errorf("said %q", text)
		}
	case err := <-failed:
		t.Errorf("ended the Job: %v", err)
	}
	if err := p.end(); err != nil {
		t.Error(err)
	}
}
