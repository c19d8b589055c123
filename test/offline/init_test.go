package offline

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"norn/test/bed"
)

// On a terminal, norn init asks questions. It rejects invalid answers and asks again.
func TestInitAsks(t *testing.T) {
	bed.Norn(t)
	home := bed.EmptyHome(t)
	dir := filepath.Join(home, "shop")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := newScreen(t, dir, append(os.Environ(), "TERM=screen"), "init")
	for _, step := range []struct{ shown, typed string }{
		{"App name [shop]: ", ""},
		{"Role (webserver, worker, cron, function) [webserver]: ", "?"},
		{"cron:      runs a command on a schedule", "wbserver"},
		{`role "wbserver" is not one of`, "webserver"},
		{"Port that the container listens on: ", "x"},
		{`invalid port "x": must be 1 to 65535`, "99999"},
		{"port must be between 1 and 65535, not 99999", "3000"},
		{"Health check path, such as /healthz (Enter for none): ", "health"},
		{`healthcheck "health" must be a path`, "/healthz"},
		{"Service name in the cluster (- for none) [shop]: ", "-"},
	} {
		s.await(step.shown)
		s.typing(step.typed + "\n")
	}
	s.ends(0)
	if !strings.Contains(s.shown(), "did you mean") {
		t.Errorf("the terminal shows %q", s.shown())
	}
	got := "\n" + s.file("infraspec.yaml") + "\n"
	if !strings.Contains(got, "\nport: 3000\n") || !strings.Contains(got, "\nhealthcheck: /healthz\n") ||
		strings.Contains(got, "\n  internal:") {
		t.Errorf("the infraspec is %s", got)
	}
	if out, err := exec.Command("norn", "validate", dir).CombinedOutput(); err != nil {
		t.Errorf("norn validate: %v: %s", err, out)
	}
}
