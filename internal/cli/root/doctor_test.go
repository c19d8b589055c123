package root

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"norn/internal/cli"
	"norn/internal/doctor"
	"norn/internal/ui"
	"norn/test/bed"
)

// apiServer starts an API server with this version, whose clock is ahead of this machine's.
func apiServer(t *testing.T, version string, ahead time.Duration) (kubeconfigPath string) {
	t.Helper()
	s := server(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		if req.URL.Path == "/version" {
			_, _ = io.WriteString(w, `{"major":"1","gitVersion":"`+version+`"}`)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
	}))
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(bed.FakeKubeconfig(s.URL, caOf(s))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// diagnosed runs norn doctor -o json and returns the exit code and the verdicts by check.
func diagnosed(t *testing.T, args ...string) (code int, checks map[string]doctor.Verdict) {
	t.Helper()
	code, out, errs := norn(t, append([]string{"doctor", "-o", "json"}, args...)...)
	var answer struct {
		Verdict string
		Checks  []doctor.Result
	}
	first, _, _ := strings.Cut(out, "\n") // after a problem, an end event follows
	if err := json.Unmarshal([]byte(first), &answer); err != nil {
		t.Fatalf("%v:\n%s%s", err, out, errs)
	}
	checks = map[string]doctor.Verdict{}
	for _, c := range answer.Checks {
		checks[c.Name] = c.Verdict
		if c.State == doctor.Problem && answer.Verdict != "problem" {
			t.Errorf("%s is a problem, but the verdict is %q", c.Name, answer.Verdict)
		}
	}
	if strings.Contains(out+errs, "sEcReT-tOkEn") {
		t.Errorf("the token is printed:\n%s%s", out, errs)
	}
	return code, checks
}

// doctor reads a server's version and clock from its answers, and accepts that the server does not support some calls.
func TestDoctorOfServer(t *testing.T) {
	for _, c := range []struct {
		name, version string
		ahead         time.Duration
		check         string
		state         doctor.State
		words         string
	}{
		{"clock agrees", "v1.37.2", 0, "clock", doctor.OK, "agrees"},
		{"clock ahead", "v1.37.2", time.Minute, "clock", doctor.Warning, "1m0s behind the API server's"},
		{"clock far behind", "v1.37.2", -time.Hour, "clock", doctor.Problem, "ahead of the API server's"},
		{"too old", "v1.20.3", 0, "version", doctor.Problem, "v1.20.3 is too old"},
		{"cannot say who one is", "v1.27.1", 0, "credentials", doctor.OK, "since 1.28"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bed.EmptyHome(t)
			_, checks := diagnosed(t, "--kubeconfig", apiServer(t, c.version, c.ahead))
			if got := checks[c.check]; got.State != c.state || !strings.Contains(got.Detail, c.words) {
				t.Errorf("%s: %+v, want %s with %q", c.check, got, c.state, c.words)
			}
		})
	}
}

// Without a cluster, norn doctor reports one more problem, but does not end with exit code 3.
func TestDoctorWithoutKubernetes(t *testing.T) {
	silent := listen(t)
	defer func() { _ = silent.Close() }()
	for name, c := range map[string]struct{ server, words string }{
		"refused":       {"https://127.0.0.1:1", "refused the connection"},
		"never answers": {"https://" + silent.Addr().String(), "did not answer within 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			home := bed.EmptyHome(t)
			path := filepath.Join(home, "config")
			if err := os.WriteFile(path, []byte(bed.FakeKubeconfig(c.server, nil)), 0o600); err != nil {
				t.Fatal(err)
			}
			code, checks := diagnosed(t, "--kubeconfig", path, "--request-timeout", "1s")
			got := checks["cluster"]
			if code != 1 || got.State != doctor.Problem || !strings.Contains(got.Detail, c.words) || got.Hint == "" {
				t.Errorf("exit code %d, %+v; want 1 and %q", code, got, c.words)
			}
			if got := checks["permissions"]; got.State != doctor.Skipped {
				t.Errorf("permissions: %+v, want skipped", got)
			}
			if _, there := checks["git"]; !there {
				t.Errorf("git was not checked: %v", checks)
			}
		})
	}
}

// After an interrupt, norn doctor ends with exit code 130.
func TestDoctorInterrupted(t *testing.T) {
	bed.EmptyHome(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := ui.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}
	if code := Run(ctx, []string{"norn", "doctor"}, s); code != cli.ExitInterrupted {
		t.Errorf("exit code %d, want %d", code, cli.ExitInterrupted)
	}
}

func TestDoctorUsage(t *testing.T) {
	bed.EmptyHome(t)
	for _, args := range [][]string{{"doctor", "--request-timeout", "soon"}, {"doctor", "a", "b"}} {
		if code, out, errs := norn(t, args...); code != cli.ExitUsage || out != "" || !strings.HasPrefix(errs, "Error: ") {
			t.Errorf("%v: exit code %d, %q, %q", args, code, out, errs)
		}
	}
}
