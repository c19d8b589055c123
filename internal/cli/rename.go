package cli

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The names by which users call norn: its own, and the name of the kubectl plugin (kubernetes.io: Extend kubectl with
// plugins).
const (
	OwnName    = "norn"
	pluginFile = "kubectl-norn"
	pluginName = "kubectl norn"
)

// calledBy returns the name by which a user calls the program at path.
func calledBy(path string) string {
	if strings.TrimSuffix(filepath.Base(path), ".exe") == pluginFile {
		return pluginName
	}
	return OwnName
}

// CommandName returns the name of cmd after norn's own name, even if the user called norn by another name.
func CommandName(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return OwnName
	}
	return CommandName(cmd.Parent()) + " " + cmd.Name()
}

// Rename replaces norn before a command's name with the name that the user called.
func (a *App) Rename(text string) string {
	if a.called != pluginName {
		return text
	}
	return a.commands.ReplaceAllString(text, pluginName+" $1")
}

// RenameCommands renames norn in the help of all commands below root.
func (a *App) RenameCommands(root *cobra.Command) {
	if a.called != pluginName {
		return
	}
	names := []string{"help"}
	for _, sub := range root.Commands() {
		names = append(names, sub.Name())
	}
	a.commands = regexp.MustCompile(`\bnorn\s+(` + strings.Join(names, "|") + `)\b`)
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: pluginName}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, text := range []*string{&cmd.Short, &cmd.Long, &cmd.Example} {
			*text = a.Rename(*text)
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { f.Usage = a.Rename(f.Usage) })
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// Renamed returns err with norn renamed in its text and hint.
func (a *App) Renamed(err error) error {
	if a.called != pluginName || err == nil {
		return err
	}
	return &renamedError{err, a.Rename}
}

// renamedError is an error with norn renamed.
type renamedError struct {
	err    error
	rename func(string) string
}

func (e *renamedError) Error() string { return e.rename(e.err.Error()) }
func (e *renamedError) Unwrap() error { return e.err }

// As returns the error's hint with norn renamed.
func (e *renamedError) As(target any) bool {
	hint, ok := target.(*interface{ Hint() string })
	var inner interface{ Hint() string }
	if !ok || !errors.As(e.err, &inner) {
		return false
	}
	*hint = renamedHint(e.rename(inner.Hint()))
	return true
}

type renamedHint string

// Hint returns the text.
func (h renamedHint) Hint() string { return string(h) }
