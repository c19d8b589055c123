package offline

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"norn/test/bed"

	"github.com/creack/pty"
)

const (
	// marks are characters that a terminal reacts to, and that a name may contain: a title, C1, a right-to-left override,
	// an isolate, a zero-width space.
	marks = "\x1b]0;title\a\u009b2J\u202e\u2066\u200b"
	// refMarks is the part that the name of a git branch may contain.
	refMarks = "\u009b2J\u202e\u2066\u200b"
)

// ownEscapes matches the escapes that norn writes itself: colors, and movements of the cursor.
var ownEscapes = regexp.MustCompile(`\x1b\[[0-9;]*[mAJK]`)

// hostileHome is a home folder whose folders, contexts, branches and files have names that a terminal reacts to.
func hostileHome(t *testing.T) (app string) {
	t.Helper()
	home := bed.EmptyHome(t)
	config := strings.ReplaceAll(bed.FakeKubeconfig("https://127.0.0.1:1", nil), "here", `"c`+inYAML(marks)+`"`)
	projects := filepath.Join(home, "projects")
	app = filepath.Join(projects, "shop"+marks)
	bed.WriteFiles(t, home, map[string]string{"config" + marks: config})
	bed.WriteFiles(t, projects, map[string]string{
		filepath.Join("shop"+marks, "infraspec.yaml"): "app: shop\nrole: worker\nsecrets: [TOKEN]\n" +
			`env: {A: "x` + inYAML(marks) + "\"}\n",
		filepath.Join("bad"+marks, "infraspec.yaml"):   `app: "x` + inYAML(marks) + "\"\nrole: wo\u202ework\n",
		filepath.Join("worse"+marks, "infraspec.yaml"): "app: [" + refMarks + "\x9b\n",
		filepath.Join("new"+marks, "Dockerfile"):       "FROM scratch\nEXPOSE " + refMarks + "\n",
	})
	bed.WriteFiles(t, filepath.Join(app, "snapshots"), map[string]string{
		"shop" + marks + "_0123456789ab_20260102T030405Z.dump": "",
	})
	bed.Git(t, app, "init", "-q", "-b", "main"+refMarks)
	bed.Git(t, app, "commit", "-q", "--allow-empty", "-m", "first "+marks)
	t.Setenv("KUBECONFIG", filepath.Join(home, "config"+marks))
	return app
}

// inYAML returns text for a quoted string of YAML.
func inYAML(text string) string { return strings.NewReplacer("\x1b", `\e`, "\a", `\a`).Replace(text) }

// Names from elsewhere do not control the user's terminal, neither directly nor through a pipe.
func TestHostileText(t *testing.T) {
	bed.Norn(t)
	app := hostileHome(t)
	config := os.Getenv("KUBECONFIG")
	for _, args := range [][]string{
		{"status"}, {"status", "shop"}, {"status", "./"}, {"validate"}, {"validate", "--all"}, {"validate", "../bad" + marks},
		{"validate", "../worse" + marks}, {"render"}, {"render", "-o", "json"}, {"render", "../bad" + marks}, {"doctor"},
		{"doctor", "-o", "json"}, {"deploy"}, {"deploy", "--dry-run"}, {"deploy", ".", "main" + refMarks}, {"logs"},
		{"history"},
		{"diff"}, {"forge"}, {"rollback"}, {"restart"}, {"teardown"}, {"run", "--", "x" + marks}, {"snapshots", "list"},
		{"snapshots", "restore", "x" + marks}, {"secrets", "list"}, {"secrets", "set", "x" + marks}, {"secrets", "rotate"},
		{"secrets", "init"}, {"secrets", "set", "TOKEN", "--from-file", "x" + marks},
		{"secrets", "set", "TOKEN", "--from-file", config}, {"secrets", "list"}, {"secrets", "rotate"},
		{"init", "../new" + marks, "--role", "worker", "--name", "new"}, {"init", "../new" + marks, "--role", "worker"},
		{"status", "--context", "x" + marks}, {"status", "--kubeconfig", "x" + marks}, {"status", "--apps-dir", "x" + marks},
		{"deploy", "--context", "x" + marks}, {"status", "x" + marks}, {"x" + marks}, {"help", "x" + marks}, {"--x" + marks},
		{"logs", "--grep", "(" + marks}, {"logs", "--since", marks}, {"status", "-o", "json"},
		{"deploy", "-o", "json", "--context", "x" + marks}, {"secrets", "exec", "--", "x" + marks},
	} {
		for name, run := range map[string]func(*exec.Cmd) string{"terminal": atTerminal, "pipe": inPipe} {
			if name == "pipe" && args[0] == "render" { // its output is data
				continue
			}
			cmd := exec.CommandContext(t.Context(), "norn", args...)
			cmd.Dir, cmd.Env = app, append(os.Environ(), screenTerm)
			out := run(cmd)
			rest := ownEscapes.ReplaceAllString(out, "")
			for _, mark := range []string{"\x1b", "\a", "\u009b", "\u202e", "\u2066", "\u200b", "\x9b2"} {
				if strings.Contains(rest, mark) && (mark != "\x9b2" || !utf8.ValidString(rest)) {
					t.Errorf("norn %q at a %s shows %q:\n%q", args, name, mark, out)
				}
			}
			if out == "" {
				t.Errorf("norn %q at a %s shows nothing", args, name)
			}
		}
	}
}

// atTerminal runs a command at a terminal, and returns what it shows. Every question gets an empty answer.
func atTerminal(cmd *exec.Cmd) string {
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		return err.Error()
	}
	_, _ = io.WriteString(tty, strings.Repeat("\n", 20))
	var shown strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := tty.Read(buf)
		shown.Write(buf[:n])
		if err != nil {
			break
		}
	}
	_ = cmd.Wait()
	_ = tty.Close()
	return shown.String()
}

// inPipe runs a command, and returns both of its outputs.
func inPipe(cmd *exec.Cmd) string {
	out, _ := cmd.CombinedOutput()
	return string(out)
}
