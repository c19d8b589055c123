package cli

import (
	"errors"
	"testing"

	"github.com/spf13/cobra"

	"norn/internal/ui"
)

// As a kubectl plugin, norn names its commands "kubectl norn" in help, errors and hints, once each.
func TestRename(t *testing.T) {
	a := NewApp("/usr/local/bin/kubectl-norn", ui.Streams{})
	group := Group("secrets", "short", "norn deploy reads them. norn\nsecrets itself writes them, as norn does.")
	root := &cobra.Command{Use: "norn"}
	root.AddCommand(group, &cobra.Command{Use: "deploy"})
	a.RenameCommands(root)
	want := "kubectl norn deploy reads them. kubectl norn secrets itself writes them, as norn does."
	if group.Long != want {
		t.Errorf("help: %q", group.Long)
	}

	err := a.Renamed(group.RunE(group, []string{"nosuch"}))
	if want := `unknown command "nosuch" for kubectl norn secrets`; err.Error() != want {
		t.Errorf("error: %q", err)
	}
	var hint interface{ Hint() string }
	err = a.Renamed(&UsageError{Err: errors.New("x"), Command: "norn secrets"})
	if !errors.As(err, &hint) || hint.Hint() != "see kubectl norn secrets --help" {
		t.Errorf("hint: %v", hint)
	}

	own := NewApp("/usr/local/bin/norn", ui.Streams{})
	if text := "see norn help"; own.Rename(text) != text {
		t.Errorf("norn renames itself: %q", own.Rename(text))
	}
}
