package offline

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/creack/pty"

	"norn/test/bed"
)

// payloads are texts that create a file if a shell evaluates them.
var payloads = []string{
	"`true>canary`", "$(true>canary)", "(true>canary)", ";true>canary;", "'\";true>canary;\"'", "{a,$(true>canary)}",
	"!true>canary", "=(true>canary)", "|tee${IFS}canary|",
}

// hostileClone writes an app whose clone, SOPS file, snapshots, files and kubeconfig contain a payload in their names,
// each in two names that begin with it.
func hostileClone(t *testing.T, home string, n int, payload string) {
	t.Helper()
	dir := filepath.Join("projects", fmt.Sprintf("app%d", n))
	config := bed.FakeKubeconfig("https://127.0.0.1:1", nil)
	var secrets strings.Builder
	files := map[string]string{}
	for _, name := range []string{payload + "main", payload + "v1", payload + "x\n" + payload} {
		quoted := strconv.Quote(name)
		fmt.Fprintf(&secrets, "%s: ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]\n", quoted)
		for list, entry := range map[string]string{
			"contexts: [": "{name: %s, context: {cluster: %[1]s, user: %[1]s}}, ",
			"clusters: [": "{name: %s, cluster: {server: 'https://127.0.0.1:1'}}, ",
			"users: [":    "{name: %s, user: {token: x}}, ",
		} {
			config = strings.Replace(config, list, list+fmt.Sprintf(entry, quoted), 1)
		}
		files[name+".yaml"] = ""
		files[filepath.Join(name+"dir", "infraspec.yaml")] = "app: shop\nrole: worker\n"
		files[filepath.Join("snapshots", name+"_0123456789ab_20260102T030405Z.dump")] = ""
	}
	files["infraspec.yaml"] = fmt.Sprintf("app: app%d\nrole: worker\n", n)
	files["secrets.enc.yaml"] = secrets.String() + "sops: {version: 3.13.3, mac: ENC[]}\n"
	files["kubeconfig"] = config
	at := map[string]string{}
	for name, text := range files {
		at[filepath.Join(dir, name)] = text
	}
	bed.WriteFiles(t, home, at)
	clone := filepath.Join(home, dir)
	bed.Git(t, clone, "init", "-q", "-b", "main")
	bed.Git(t, clone, "commit", "-q", "--allow-empty", "-m", payload)
	commit := strings.TrimSpace(bed.Run(t, exec.Command("git", "-C", clone, "rev-parse", "HEAD")))
	refs := ""
	for _, kind := range []string{"heads", "tags"} {
		refs += fmt.Sprintf("%s refs/%s/%smain\n%[1]s refs/%[2]s/%[3]sv1\n", commit, kind, payload)
	}
	bed.WriteFiles(t, clone, map[string]string{".git/packed-refs": refs})
	bed.Git(t, clone, "checkout", "-q", "--detach")
	bed.Git(t, clone, "branch", "-q", "-D", "main")
}

// shells maps each shell to its arguments and to the command that loads norn's completion.
var shells = map[string]struct {
	command []string
	load    string
	rare    bool // only with bed.All
}{
	"bash": {
		[]string{"bash", "--norc", "-i"},
		`. /usr/share/bash-completion/bash_completion; bind 'set page-completions off'; . <(norn completion bash)`,
		false,
	},
	"bash ignoring case": {
		[]string{"bash", "--norc", "-i"},
		`. /usr/share/bash-completion/bash_completion; bind 'set completion-ignore-case on'; . <(norn completion bash)`,
		true,
	},
	"zsh": {
		[]string{"zsh", "-f", "-i"},
		`bindkey -e; autoload -Uz compinit && compinit -u -d $HOME/dump; . <(norn completion zsh)`, false,
	},
	"fish": {[]string{"fish", "--no-config", "-i"}, `norn completion fish | source`, false},
	"kubectl's plugin": {
		[]string{"bash", "--norc", "-i"},
		`. /usr/share/bash-completion/bash_completion; bind 'set page-completions off'; . <(kubectl completion bash)`,
		true,
	},
}

// completed returns the lines to complete in a shell: one for each function that lists names.
func completed() []string {
	lines := []string{
		"deploy . ", "forge --context=", "secrets set . ", "secrets unset ", "snapshots restore . ", "forge --context ",
		"validate ",
	}
	if bed.All() {
		lines = append(lines, "forge --cluster ", "forge --user ", "forge . --kubeconfig=", "init ", "render ./")
	}
	return lines
}

// shown are the numbers of the payloads that all runs of the tests complete: each kind of quoting lets one through.
var shown = []int{0, 1, 4}

// Completing never runs a name of a clone, a kubeconfig or a file as a command.
func TestTabRunsNoName(t *testing.T) {
	norn, plugin := bed.Norn(t), filepath.Join(bed.Root(t), "hack", "kubectl_complete-norn")
	for name, shell := range shells {
		if shell.rare && !bed.All() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(shell.command[0]); err != nil {
				t.Skip(shell.command[0] + " is not installed")
			}
			home := bed.EmptyHome(t)
			for i, payload := range payloads {
				hostileClone(t, home, i, payload)
			}
			t.Setenv("NORN_COMPLETION_TIMEOUT", "1m")
			call := "norn"
			if name == "kubectl's plugin" {
				call = "kubectl norn"
				installPlugin(t, home, map[string]string{norn: "kubectl-norn", plugin: "kubectl_complete-norn"})
			}
			s := openShell(t, shell.command, home)
			s.run(shell.load)
			for i := range payloads {
				if !bed.All() && !slices.Contains(shown, i) {
					continue
				}
				s.run(fmt.Sprintf("cd $HOME/projects/app%d; set -gx KUBECONFIG $PWD/kubeconfig 2>/dev/null; "+
					"export KUBECONFIG=$PWD/kubeconfig", i))
				for _, line := range completed() {
					s.complete(call + " " + line)
				}
			}
			if found, _ := filepath.Glob(filepath.Join(home, "projects", "*", "canary")); len(found) > 0 {
				for _, path := range found {
					n, _ := strconv.Atoi(strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "app"))
					t.Errorf("completion ran %q", payloads[n])
				}
			}
		})
	}
}

// installPlugin puts kubectl's plugin and its completion on the PATH.
func installPlugin(t *testing.T, home string, links map[string]string) {
	t.Helper()
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("kubectl is not installed")
	}
	bin := filepath.Join(home, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for target, link := range links {
		if err := os.Symlink(target, filepath.Join(bin, link)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// shell is an interactive shell at a terminal.
type shell struct {
	t     *testing.T
	tty   *os.File
	steps int
}

// openShell starts a shell in a home folder.
func openShell(t *testing.T, command []string, home string) *shell {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "TERM=xterm", "PS1=ready> ", "XDG_DATA_HOME="+home, "HISTFILE=")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 60, Cols: 200})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &shell{t: t, tty: tty}
}

// run enters a command and waits until it has ended.
func (s *shell) run(command string) {
	s.t.Helper()
	s.steps++
	if _, err := fmt.Fprintf(s.tty, "%s; echo end''ed%d,\r", command, s.steps); err != nil {
		s.t.Fatal(err)
	}
	readUntil(s.t, s.tty, fmt.Sprintf("ended%d,", s.steps))
}

// complete types a line, and presses TAB until the shell has inserted a candidate and completed the word after it. It
// then clears the line.
func (s *shell) complete(line string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(line + "\t\t\t \t\t\x15\x15"); err != nil {
		s.t.Fatal(err)
	}
	s.run("true")
}
