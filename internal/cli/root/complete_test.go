package root

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"norn/internal/cli"
	"norn/test/bed"

	"github.com/spf13/cobra"
)

// offers returns what a shell would offer for the last word, without descriptions.
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

// Without a cluster, completion offers values from the disk.
func TestCompletesWithoutCluster(t *testing.T) {
	home := bed.HomeWithApps(t)
	t.Chdir(filepath.Join(home, "projects", "shop"))
	for _, c := range []struct{ line, want string }{
		{"deploy |", "beat shop"},
		{"deploy s|", "shop"},
		{"logs |", "beat shop"}, // without apps from the cluster
		{"deploy shop |", "fix main v1.4.0"},
		{"deploy shop v|", "v1.4.0"},
		{"deploy beat |", ""}, // not a git repository
		{"deploy shop v1.4.0 |", ""},
		{"validate shop |", "beat"},
		{"run |", "beat shop"},
		{"run s|", "shop"},
		{"secrets exec s|", "shop"},
		{"invoke |", ""}, // neither is a function
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

// Every command that takes APP completes it.
func TestEveryAppIsCompleted(t *testing.T) {
	each(New(&cli.App{}), func(cmd *cobra.Command) {
		if strings.Contains(cmd.Use, "[APP") && cmd.ValidArgsFunction == nil {
			t.Errorf("%s does not complete APP", cmd.CommandPath())
		}
	})
}

// The shell itself completes names of files and folders.
func TestShellCompletesFiles(t *testing.T) {
	bed.HomeWithApps(t)
	for words, want := range map[string]string{
		"forge ./": ":0", "init ": ":16", "--kubeconfig ": ":0", "run shop -- ": ":0",
		"version ": ":4", "deploy --image ": ":4",
	} {
		_, stdout, _ := norn(t, append([]string{"__complete"}, strings.Split(words, " ")...)...)
		if got := strings.TrimSpace(stdout); got != want {
			t.Errorf("norn %s: %q, want %s", words, got, want)
		}
	}
}

// If a server accepts connections but never answers, completion ends at the timeout, and still offers values from the
// disk.
func TestCompletionGivesUpInTime(t *testing.T) {
	home := bed.HomeWithApps(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	bed.WriteFiles(t, home, map[string]string{"kubeconfig": bed.FakeKubeconfig("http://"+silent.Addr().String(), nil)})
	t.Setenv("NORN_COMPLETION_TIMEOUT", "2s")
	begin := time.Now()
	if got := offers(t, "logs", "s"); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("offers %q", got)
	}
	if took := time.Since(begin); took < 2*time.Second {
		t.Errorf("gave up after %s, or never asked the cluster", took)
	}
	if took := time.Since(begin); took > time.Minute { // client-go by itself would wait longer
		t.Errorf("it took %s", took)
	}
}

// each calls visit for cmd and all commands below it, except cobra's own.
func each(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		if sub.Name() != "help" && !sub.Hidden {
			each(sub, visit)
		}
	}
}
