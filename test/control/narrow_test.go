package control

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"norn/test/bed"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
)

// lineEnds matches what ends a line, or goes back to its beginning.
var lineEnds = regexp.MustCompile(`[\r\n]+`)

// A deploy of ten processes of three Pods fits a terminal of 80 columns.
func TestManyProcessesOnANarrowTerminal(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	app := "app: shop\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nreplicas: 3\nprocesses:\n"
	for i := range 9 {
		app += fmt.Sprintf("  worker-%d: {replicas: 3, healthcheck: {tcp: true, port: 9000}}\n", i+1)
	}
	w.WriteApp("shop", app)
	cmd := w.Command(w.Kubeconfig, "deploy", "shop", "--image", image("first"))
	cmd.Env = append(cmd.Env, "TERM=screen")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tty.Close() }()
	seen, _ := io.ReadAll(tty) // fails when norn has ended (man 4 pts)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v:\n%s", err, seen)
	}
	text := ansi.Strip(string(seen))
	waits := ""
	for _, line := range lineEnds.Split(text, -1) {
		if ansi.StringWidth(line) > 80 {
			t.Errorf("%d columns: %q", ansi.StringWidth(line), line)
		}
		if strings.Contains(line, "new Pods ready") {
			waits = line
		}
	}
	t.Logf("norn waits: %s", waits)
	if !strings.Contains(text, "rollout done: 30 of 30 Pods of 10 processes available") || waits == "" {
		t.Errorf("the output is\n%s", text)
	}
}
