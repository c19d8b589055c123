// Package bed helps to test the built norn. It provides clusters and namespaces, the norn command with its own home
// folder, sample apps and their images, and ways to disturb a run.
//
// hack/test builds the prerequisites and sets variables that begin with NORN_TEST_. Without them, tests are skipped.
package bed

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// M runs the tests of a package, and then stops the clusters that they started.
type M struct{ *testing.M }

// Run implements testscript.TestingM.
func (m M) Run() int {
	// These variables change norn's output.
	for _, name := range []string{
		"CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITLAB_CI", "TF_BUILD", "TEAMCITY_VERSION",
	} {
		_ = os.Unsetenv(name)
	}
	// Programs inherit an ignored signal, but not a caught one. nohup and some CI systems ignore SIGHUP.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	code := m.M.Run()
	if err := stopAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// Main implements TestMain for packages without their own setup.
func Main(m *testing.M) { os.Exit(M{m}.Run()) }

// Norn returns the path of the built norn.
func Norn(tb testing.TB) string {
	tb.Helper()
	return needs(tb, "NORN_TEST_NORN")
}

// Kubectl returns the path of kubectl, whose folder also contains the devcluster command.
func Kubectl(tb testing.TB) string {
	tb.Helper()
	return needs(tb, "NORN_TEST_KUBECTL")
}

// needs returns the value of a variable that hack/test sets. It skips the test if the variable is not set.
func needs(tb testing.TB, name string) string {
	tb.Helper()
	value := os.Getenv(name)
	if value == "" {
		tb.Skipf("%s is not set: run hack/test", name)
	}
	return value
}

// Root returns the root folder of norn's source.
func Root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module norn\n") {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	tb.Fatal("the test does not run inside norn's source")
	return ""
}

// Run runs a command and returns its output. A failure ends the test.
func Run(tb testing.TB, cmd *exec.Cmd) string {
	tb.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

// WriteFiles writes executable files below dir. The keys of files are their paths.
func WriteFiles(tb testing.TB, dir string, files map[string]string) {
	tb.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
}
