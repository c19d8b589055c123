// Package bed is what the tests of the built norn share: clusters and namespaces to work in, the norn command with
// a home folder of its own, sample apps and their images, and ways to disturb a run.
//
// hack/test builds what the tests need and passes it on in variables that begin with NORN_TEST_. Without them a
// test is skipped.
package bed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// M runs the tests of a package, and stops the clusters that they started.
type M struct{ *testing.M }

// Run implements testscript.TestingM.
func (m M) Run() int {
	// norn's output depends on these.
	for _, name := range []string{"CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_STEP_SUMMARY"} {
		_ = os.Unsetenv(name)
	}
	code := m.M.Run()
	if err := stopAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// Main is TestMain for a package that has nothing to add to it.
func Main(m *testing.M) { os.Exit(M{m}.Run()) }

// Norn returns the path of the built norn.
func Norn(tb testing.TB) string {
	tb.Helper()
	return needs(tb, "NORN_TEST_NORN")
}

// Kubectl returns the path of kubectl. The devcluster command is beside it.
func Kubectl(tb testing.TB) string {
	tb.Helper()
	return needs(tb, "NORN_TEST_KUBECTL")
}

// needs returns a variable that hack/test sets, and skips the test if it is not set.
func needs(tb testing.TB, name string) string {
	tb.Helper()
	value := os.Getenv(name)
	if value == "" {
		tb.Skipf("%s is not set: run hack/test", name)
	}
	return value
}

// Root returns the folder of norn's own source.
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

// Run runs a command to its end. A command that fails ends the test.
func Run(tb testing.TB, cmd *exec.Cmd) string {
	tb.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

// WriteFiles writes executable files below dir, by their paths.
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
