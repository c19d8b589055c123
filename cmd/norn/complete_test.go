package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
	"github.com/spf13/cobra"
)

// offers are what a shell would be given for the last of the words, without what is said about each.
func offers(t *testing.T, words ...string) []string {
	t.Helper()
	code, stdout, _ := norn(t, append([]string{"__complete"}, words...)...)
	if code != 0 {
		t.Errorf("completing %q ends with %d", words, code)
	}
	var values []string
	for line := range strings.Lines(stdout) {
		if value, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); !strings.HasPrefix(value, ":") {
			values = append(values, value)
		}
	}
	return values
}

// writeFiles writes files under dir.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// appsAtHome is a home with two apps, and a kubeconfig of a cluster that is not there. Completion takes the time that it needs.
func appsAtHome(t *testing.T) string {
	t.Helper()
	encrypted, err := os.ReadFile(filepath.Join("..", "..", "testdata", "apps", "hello", "secrets.enc.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	home := emptyHome(t)
	t.Setenv("NORN_COMPLETION_TIMEOUT", "1m")
	t.Setenv("KUBECONFIG", filepath.Join(home, "kubeconfig"))
	writeFiles(t, home, map[string]string{
		"kubeconfig":                     kubeconfig("https://127.0.0.1:1", nil),
		"projects/shop/infraspec.yaml":   "app: shop\nrole: worker\nsecrets: [HELLO_TOKEN, OTHER]\n",
		"projects/shop/secrets.enc.yaml": string(encrypted),
		"projects/shop/snapshots/shop_0123456789ab_20260102T030405Z.dump": "",
		"projects/beat/infraspec.yaml":                                    "app: beat\nrole: worker\n",
		"projects/none/readme":                                            "",
	})
	shop := filepath.Join(home, "projects", "shop")
	for _, args := range []string{"init -q -b main", "-c user.name=t -c user.email=t@localhost commit -q --allow-empty -m first", "tag v1.4.0", "branch fix"} {
		if out, err := exec.Command("git", append([]string{"-C", shop}, strings.Fields(args)...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %s", args, out)
		}
	}
	return home
}

// What is on disk is offered for the arguments and flags that take it, with no cluster to be had.
func TestCompletesWithoutCluster(t *testing.T) {
	home := appsAtHome(t)
	t.Chdir(filepath.Join(home, "projects", "shop"))
	for _, c := range []struct{ line, want string }{
		{"deploy |", "beat shop"},
		{"deploy s|", "shop"},
		{"logs |", "beat shop"}, // the cluster's are missing, silently
		{"deploy shop |", "fix main v1.4.0"},
		{"deploy shop v|", "v1.4.0"},
		{"deploy beat |", ""}, // no git repository
		{"deploy shop v1.4.0 |", ""},
		{"validate shop |", "beat"},
		{"secrets set |", "HELLO_TOKEN OTHER beat shop"},
		{"secrets set shop |", "HELLO_TOKEN OTHER"},
		{"secrets unset shop |", "HELLO_TOKEN"},
		{"snapshots restore shop |", "shop_0123456789ab_20260102T030405Z.dump"},
		{"forge --context |", "here"},
		{"forge --cluster |", "c"},
		{"forge --user |", "u"},
		{"forge -n |", ""},
		{"rollback shop --to |", ""},
		{"logs shop --revision |", "new old"},
		{"logs shop -o |", "json raw"},
		{"render -o |", "json"},
		{"deploy --builder p|", "podman"},
		{"init --role w|", "webserver worker"},
		{"completion |", "bash fish powershell zsh"},
		{"help dep|", "deploy"},
		{"--apps-dir /nosuch deploy |", ""},
		{"forge --namespace Bad_Name |", ""},
		{"forge ./|", ""},
	} {
		line, ok := strings.CutSuffix(c.line, "|")
		if !ok {
			t.Fatal(c.line)
		}
		got := offers(t, strings.Split(line, " ")...)
		slices.Sort(got)
		if want := strings.Fields(c.want); !slices.Equal(got, want) {
			t.Errorf("%s offers %q, want %q", c.line, got, want)
		}
	}
}

// Every command's APP is completed.
func TestEveryAppIsCompleted(t *testing.T) {
	each(newRootCmd(&app{}), func(cmd *cobra.Command) {
		if strings.Contains(cmd.Use, "[APP") && cmd.ValidArgsFunction == nil {
			t.Errorf("%s takes an app and completes none", cmd.CommandPath())
		}
	})
}

// A file's or a folder's name is left to the shell.
func TestFilesAreTheShells(t *testing.T) {
	appsAtHome(t)
	for words, want := range map[string]string{"forge ./": ":0", "init ": ":16", "--kubeconfig ": ":0", "run shop -- ": ":0", "version ": ":4", "deploy --image ": ":4"} {
		_, stdout, _ := norn(t, append([]string{"__complete"}, strings.Split(words, " ")...)...)
		if got := strings.TrimSpace(stdout); got != want {
			t.Errorf("norn %s: %q, want %s", words, got, want)
		}
	}
}

// A server that takes connections and never answers costs no more than the time that there is; what is on disk is offered all the same.
func TestCompletionGivesUpInTime(t *testing.T) {
	home := appsAtHome(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	writeFiles(t, home, map[string]string{"kubeconfig": kubeconfig("http://"+silent.Addr().String(), nil)})
	t.Setenv("NORN_COMPLETION_TIMEOUT", "2s")
	begin := time.Now()
	if got := offers(t, "logs", "s"); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("offers %q", got)
	}
	if took := time.Since(begin); took < 2*time.Second {
		t.Errorf("the cluster was not asked, or gave up after %s", took)
	}
	if took := time.Since(begin); took > time.Minute { // client-go's own patience is longer than any shell's
		t.Errorf("it took %s", took)
	}
}

// plugin is a credential plugin that tries to ask on the terminal, and says in a file what came of it.
const plugin = `#!/bin/sh
if (echo "canary-question?" >/dev/tty) 2>/dev/null; then echo asked; else echo could not ask; fi >>"$HOME/plugin"
if [ -n "$SOPS_AGE_KEY$NORN_GIT_TOKEN" ]; then echo "read a key" >>"$HOME/plugin"; fi
if read answer; then echo read "$answer" >>"$HOME/plugin"; fi
exit 1
`

// A credential plugin cannot ask anything while a line is completed.
func TestPluginsCannotAsk(t *testing.T) {
	for mode, want := range map[string]string{"IfAvailable": "could not ask\n", "Never": "could not ask\n", "Always": ""} {
		t.Run(mode, func(t *testing.T) {
			home := appsAtHome(t)
			t.Setenv("SOPS_AGE_KEY", "canary-key")
			t.Setenv("NORN_GIT_TOKEN", "canary-token")
			writeFiles(t, home, map[string]string{
				"plugin.sh": plugin,
				"kubeconfig": strings.Replace(kubeconfig("https://127.0.0.1:1", nil), "{token: sEcReT-tOkEn}",
					fmt.Sprintf("{exec: {apiVersion: client.authentication.k8s.io/v1, command: %q, interactiveMode: %s}}", filepath.Join(home, "plugin.sh"), mode), 1),
			})
			// A shell runs what completes a line so: in its own process group, at its terminal.
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

// A credential plugin that is not done in time is ended with the completion.
func TestPluginIsEnded(t *testing.T) {
	home := appsAtHome(t)
	t.Setenv("NORN_COMPLETION_TIMEOUT", "5s")
	writeFiles(t, home, map[string]string{
		"plugin.sh": "#!/bin/sh\necho $$ >>\"$HOME/pids\"\nexec sleep 600\n",
		"kubeconfig": strings.Replace(kubeconfig("https://127.0.0.1:1", nil), "{token: sEcReT-tOkEn}",
			fmt.Sprintf("{exec: {apiVersion: client.authentication.k8s.io/v1, command: %q, interactiveMode: IfAvailable}}", filepath.Join(home, "plugin.sh")), 1),
	})
	out, err := exec.Command("norn", "__complete", "logs", "").Output()
	if err != nil || !strings.Contains(string(out), "shop") {
		t.Errorf("%v: %q", err, out)
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

// alive reports whether a process runs; one that only waits for its parent to look does not.
func alive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// In real shells, at a terminal, the TAB key completes a name.
func TestTabInShells(t *testing.T) {
	for shell, args := range map[string][]string{
		"bash": {"--norc", "-i"},
		"zsh":  {"-f", "-i"},
		"fish": {"--no-config", "-i"},
	} {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip("there is no " + shell)
			}
			home := appsAtHome(t)
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

// readUntil reads a terminal until what it shows matches, for two minutes at most.
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

// each visits a command and all below it, but for those that cobra makes.
func each(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		if sub.Name() != "help" && !sub.Hidden {
			each(sub, visit)
		}
	}
}
