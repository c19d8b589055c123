package control

import (
	"fmt"
	"io"
	"regexp"
	"slices"
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
	app := "app: shop\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nreplicas: 3\n" +
		"hosts: {internal: shop-with-quite-a-long-name}\nprocesses:\n"
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
	for _, line := range fits80(t, text) {
		if strings.Contains(line, "new Pods ready") {
			waits = line
		}
	}
	t.Logf("norn waits: %s", waits)
	if !strings.Contains(text, "rollout done: revision 1, 30 of 30 Pods of 10 processes available") || waits == "" {
		t.Errorf("the output is\n%s", text)
	}
}

// fits80 returns the lines of a terminal of 80 columns, which must fit.
func fits80(t *testing.T, text string) []string {
	t.Helper()
	lines := lineEnds.Split(text, -1)
	for _, line := range lines {
		if ansi.StringWidth(line) > 80 {
			t.Errorf("%d columns: %q", ansi.StringWidth(line), line)
		}
	}
	return lines
}

// The question of a protected environment stands below the title of the run, which appears once. Both fit 80 columns.
func TestProtectedQuestionOnANarrowTerminal(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	w.WriteApp("shop", "app: shop\nrole: worker\nenvironments:\n  production-in-europe: {namespace: "+w.Namespace+
		", protected: true}\n")
	for _, args := range [][]string{
		{"deploy", "shop", "--image", image("first")}, {"restart", "shop"}, {"run", "shop", "--", "true"},
	} {
		cmd := w.Command(w.Kubeconfig, append([]string{"--env", "production-in-europe"}, args...)...)
		cmd.Env = append(slices.DeleteFunc(cmd.Env, func(v string) bool { return strings.HasPrefix(v, "NORN_NAMESPACE=") }),
			"TERM=screen")
		tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tty, "production-in-europe\n"); err != nil {
			t.Fatal(err)
		}
		seen, _ := io.ReadAll(tty) // fails when norn has ended (man 4 pts)
		_ = tty.Close()
		text := ansi.Strip(string(seen))
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v:\n%s", err, text)
		}
		fits80(t, strings.ReplaceAll(text, "continue: ", "continue: \n")) // the answer was typed, and shown, before
		words := strings.Join(strings.Fields(text), " ")
		if title := args[0] + " shop in environment production-in-europe: "; strings.Count(words, title) != 1 {
			t.Errorf("the title does not appear once:\n%s", text)
		}
		const question = "environment production-in-europe is protected; enter its name to continue: "
		if !strings.Contains(words, question) {
			t.Errorf("no question:\n%s", text)
		}
	}
}
