package root

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/manual"
)

// docs/commands.md is up to date.
func TestCommandReferenceIsCurrent(t *testing.T) {
	got, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "commands.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(manual.Page(New(&cli.App{}))) != string(got) {
		t.Error("docs/commands.md is out of date; run make docs")
	}
}

// Every command has a man page, and mandoc finds no fault with it.
func TestManPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1767323045")
	dir := t.TempDir()
	if code, _, stderr := norn(t, "docs", "man", dir); code != 0 {
		t.Fatal(stderr)
	}
	each(New(&cli.App{}), func(cmd *cobra.Command) {
		if cmd.IsAdditionalHelpTopicCommand() {
			return
		}
		path := filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			return
		}
		for _, want := range []string{".SH \"NAME\"", ".SH \"EXAMPLES\"", ` 2026-01-02 `} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s has no %s", path, want)
			}
		}
		if _, err := exec.LookPath("mandoc"); err != nil {
			return
		}
		if out, err := exec.Command("mandoc", "-T", "lint", "-W", "warning", path).CombinedOutput(); err != nil {
			t.Errorf("%s", out)
		}
	})
	if code, _, _ := norn(t, "docs", "man", filepath.Join(dir, "nosuch")); code != cli.ExitFailed {
		t.Errorf("a missing folder ends with %d", code)
	}
}
