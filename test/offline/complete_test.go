package offline

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"

	"norn/test/bed"
)

// askingPlugin is a credential plugin that tries to prompt on the terminal. It writes the result to a file.
const askingPlugin = `#!/bin/sh
if (echo "canary-question?" >/dev/tty) 2>/dev/null; then echo asked; else echo could not ask; fi >>"$HOME/plugin"
if [ -n "$SOPS_AGE_KEY$NORN_GIT_TOKEN" ]; then echo "read a key" >>"$HOME/plugin"; fi
if read answer; then echo read "$answer" >>"$HOME/plugin"; fi
exit 1
`

// pluginKubeconfig returns a kubeconfig with a credential plugin.
func pluginKubeconfig(plugin, mode string) string {
	const user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: %q, interactiveMode: %s}}"
	return strings.Replace(bed.FakeKubeconfig("https://127.0.0.1:1", nil), "{token: sEcReT-tOkEn}",
		fmt.Sprintf(user, plugin, mode), 1)
}

// A credential plugin cannot prompt during completion.
func TestPluginsCannotAsk(t *testing.T) {
	bed.Norn(t)
	for mode, want := range map[string]string{"IfAvailable": "could not ask\n", "Never": "could not ask\n", "Always": ""} {
		t.Run(mode, func(t *testing.T) {
			home := bed.HomeWithApps(t)
			t.Setenv("SOPS_AGE_KEY", "canary-key")
			t.Setenv("NORN_GIT_TOKEN", "canary-token")
			bed.WriteFiles(t, home, map[string]string{
				"plugin.sh":  askingPlugin,
				"kubeconfig": pluginKubeconfig(filepath.Join(home, "plugin.sh"), mode),
			})
			// As in completion, the shell runs norn in a separate process group of its terminal.
			shell := exec.Command("bash", "-c", `offered=$(norn __complete logs "" 2>/dev/null); echo "offered $offered"`)
			tty, err := pty.Start(shell)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tty.Close() }()
			shown := readUntil(t, tty, "offered [^$]*:0")
			_ = shell.Wait()
			if strings.Contains(shown, "canary-question") || !strings.Contains(shown, "shop") {
				t.Errorf("the terminal shows %q", shown)
			}
			got, err := os.ReadFile(filepath.Join(home, "plugin"))
			if want != "" && err != nil {
				t.Fatal(err)
			}
			if want == "" && len(got) > 0 || !strings.HasPrefix(string(got), want) || strings.Contains(string(got), "read") {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// A credential plugin that takes too long ends with the completion, also if it has just started.
func TestPluginIsEnded(t *testing.T) {
	bed.Norn(t)
	home := bed.HomeWithApps(t)
	bed.WriteFiles(t, home, map[string]string{
		"plugin.sh":  "#!/bin/sh\necho $$ >>\"$HOME/pids\"\nexec sleep 600\n",
		"kubeconfig": pluginKubeconfig(filepath.Join(home, "plugin.sh"), "IfAvailable"),
	})
	complete := func(timeout time.Duration) string {
		t.Setenv("NORN_COMPLETION_TIMEOUT", timeout.String())
		cmd := exec.Command("norn", "__complete", "logs", "")
		cmd.WaitDelay = time.Minute // a plugin that still runs keeps the pipes open
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("timeout %s: %v: %q", timeout, err, out)
		}
		return string(out)
	}
	if out := complete(5 * time.Second); !strings.Contains(out, "shop") {
		t.Errorf("offered %q", out)
	}
	for i := range 120 {
		complete(time.Duration(1+i%40) * time.Millisecond)
	}
	text, err := os.ReadFile(filepath.Join(home, "pids"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range strings.Fields(string(text)) {
		for deadline := time.Now().Add(time.Minute); alive(pid); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("plugin %s still runs", pid)
			}
		}
	}
}

// alive reports whether a process runs. A zombie does not count.
func alive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// The TAB key completes names in real shells at a terminal.
func TestTabInShells(t *testing.T) {
	bed.Norn(t)
	for shell, args := range map[string][]string{
		"bash": {"--norc", "-i"},
		"zsh":  {"-f", "-i"},
		"fish": {"--no-config", "-i"},
	} {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip(shell + " is not installed")
			}
			home := bed.HomeWithApps(t)
			load := map[string]string{
				"bash": ". /usr/share/bash-completion/bash_completion; . <(norn completion bash)",
				"zsh":  "autoload -Uz compinit && compinit -u -d " + home + "/dump; . <(norn completion zsh)",
				"fish": "norn completion fish | source",
			}[shell]
			cmd := exec.Command(shell, args...)
			cmd.Env = append(os.Environ(), "TERM=xterm", "PS1=ready> ", "XDG_DATA_HOME="+home)
			tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 200})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tty.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() }()
			for _, step := range [][2]string{
				{load + "; echo load''ed\r", "loaded"},
				{"norn status sh\t", "norn status shop "},
				{"\x15norn deploy shop v1\t", "norn deploy shop v1.4.0 "},
				{"\x15norn forge --context h\t", "--context here "},
			} {
				if _, err := tty.WriteString(step[0]); err != nil {
					t.Fatal(err)
				}
				readUntil(t, tty, step[1])
			}
		})
	}
}

// readUntil reads from a terminal until the text matches a pattern, for up to two minutes.
func readUntil(t *testing.T, tty *os.File, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	if err := tty.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	var shown string
	for buf := make([]byte, 4096); ; {
		n, err := tty.Read(buf)
		shown += string(buf[:n])
		switch text := ansi.Strip(shown); {
		case re.MatchString(text):
			return text
		case err != nil:
			t.Fatalf("%v; the terminal shows %q, want %q", err, shown, pattern)
		}
	}
}
