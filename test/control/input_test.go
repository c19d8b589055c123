package control

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"norn/test/bed"
)

// noAttach answers like an API server whose authorizer denies a connection.
var noAttach = bed.Forbid(`pods "x" is forbidden: User "ci" cannot create resource "pods/attach" in API group "" ` +
	`in the namespace "prod"`)

// A command that waits for its input does not wait forever if norn cannot pass the input, and its Job is deleted.
func TestInputThatCannotBePassed(t *testing.T) {
	t.Parallel()
	w := running(t)
	api := disturbed(w, bed.Fault{Path: "/pods/[^/]+/attach", Do: noAttach}, // the container has written nothing yet
		bed.Fault{Path: "/pods/[^/]+/log", Do: bed.Stall})
	cmd := w.Command(api, "run", "shop", "--", "/bin/cat")
	cmd.Stdin = strings.NewReader("some input\n")
	out, _ := cmd.CombinedOutput() // the exit code is checked
	want := `cannot pass standard input: attach to Pod shop-run-`
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), want) ||
		!strings.Contains(string(out), `user "ci" is not allowed to create pods/attach in namespace prod`) {
		t.Errorf("exit code %d, want 1 and %q:\n%s", code, want, out)
	}
	if left := w.Kubectl("get", "jobs", "-o", "name"); left != "" {
		t.Errorf("left: %s", left)
	}
}

// Without the permission to attach, norn refuses an input that has data, and creates no Job. An idle pipe is only
// reported.
func TestInputWithoutPermission(t *testing.T) {
	t.Parallel()
	w := running(t)
	review := func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprint(rw, `{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1",`+
			`"status":{"allowed":false}}`)
	}
	api := disturbed(w, bed.Fault{Path: "/selfsubjectaccessreviews", Do: review},
		jobLog("", "hello"))
	file := w.Home + "/input"
	if err := os.WriteFile(file, []byte("some input\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	idle, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = idle.Close(), held.Close() }()
	data, err := os.Open(file) //nolint:gosec // the test's own file
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = data.Close() }()
	for _, c := range []struct {
		in   *os.File
		code int
		want string
	}{
		{data, 1, "cannot pass standard input: the user is not allowed to get pods/attach in namespace "},
		{idle, 0, "the command gets no standard input: the user is not allowed to get pods/attach in namespace "},
	} {
		cmd := w.Command(api, "run", "shop", "--", "/bin/true")
		cmd.Stdin = c.in
		out, _ := cmd.CombinedOutput() // the exit code is checked
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.want) {
			t.Errorf("exit code %d, want %d and %q:\n%s", code, c.code, c.want, out)
		}
	}
	if left := w.Kubectl("get", "jobs", "-o", "name"); left != "" {
		t.Errorf("left: %s", left)
	}
}
