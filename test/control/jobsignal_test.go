package control

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"norn/test/bed"
)

// A signal during the request that creates a Job leaves no Job.
func TestSignalDuringCreationOfJob(t *testing.T) {
	t.Parallel()
	w := running(t)
	started := make(chan *os.Process, 1)
	interrupt := func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		if err := (<-started).Signal(syscall.SIGINT); err != nil {
			t.Error(err)
		}
		select {
		case <-r.Context().Done(): // norn has given up
		case <-time.After(time.Second):
		}
		maps.Copy(rw.Header(), answer.Header())
		rw.WriteHeader(answer.Code)
		_, _ = rw.Write(answer.Body.Bytes())
	}
	api := disturbed(w, bed.Fault{Method: http.MethodPost, Path: "/jobs", Count: 1, Do: interrupt})
	cmd := w.Command(api, "run", "shop", "--", "/bin/true")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started <- cmd.Process
	_ = cmd.Wait() // the exit code is checked
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
	if left := w.Kubectl("get", "jobs,leases", "-o", "name"); left != "" {
		t.Errorf("left: %s", left)
	}
}
