package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/editor"
	"norn/internal/ui"
	"norn/pkg/secrets"
)

func newEdit(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "edit [APP]",
		Short: "Edit the app's SOPS file, decrypted, in an editor",
		Long: `Opens the decrypted file in SOPS_EDITOR, VISUAL or EDITOR, with its comments. It lies in a private folder, in memory where the system has
one, which is wiped on every way out. What is not valid can be edited again on a terminal, and is written nowhere. Other norns wait
with their changes until the editor is closed.`,
		Example: "  norn secrets edit\n  EDITOR=nano norn secrets edit shop",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := findFile(a, cmd, cli.Argument(args, 0))
			if err != nil {
				return err
			}
			edit := &edit{App: a, file: file}
			// Ctrl-C in an editor is not meant for norn, which ends by the editor's end.
			if err := secrets.Update(context.WithoutCancel(cmd.Context()), file.path, func(f *secrets.File) error { return edit.once(cmd.Context(), f) }); err != nil {
				return err
			}
			if len(edit.guessed) > 0 {
				ui.PrintWarning(a.Streams.Err, fmt.Sprintf("YAML reads %s otherwise than written, as a number, a time or a truth value; in quotes it stays as it is", strings.Join(edit.guessed, ", ")))
			}
			return printChanges(a, file, edit.changes)
		},
	}
}

// edit is one norn secrets edit.
type edit struct {
	*cli.App
	file    *appFile
	changes secrets.Changes
	guessed []string
	done    bool
}

// once opens the editor on f. It does so only once: what another program has written meanwhile is not lost to it.
func (e *edit) once(ctx context.Context, f *secrets.File) error {
	hide(e.App, f)
	if e.done {
		return &secrets.FileError{Path: e.file.path, Problem: "another program has changed it while it was edited; nothing was written", Advice: "edit it again"}
	}
	before := f.Values()
	text, err := f.Plain()
	if err != nil {
		return err
	}
	fresh := len(text) == 0
	if fresh {
		text = e.template()
	}
	prompt, atTerminal := ui.NewPrompt(e.Streams)
	return editor.Session{
		Name: "secrets.yaml", Text: text, AtTerminal: atTerminal,
		OnDisk: func(dir string) {
			ui.PrintWarning(e.Streams.Err, "this system has no folder in memory; the text lies in "+dir+" while it is edited, and is overwritten then")
		},
		Accept: func(edited []byte) (again bool, err error) {
			if bytes.Equal(edited, text) {
				return false, secrets.ErrUnchanged
			}
			e.guessed, err = f.Replace(edited)
			var syntax *secrets.SyntaxError
			if errors.As(err, &syntax) && atTerminal {
				ui.PrintError(e.Streams.Err, err)
				answer, askErr := prompt.Ask(context.WithoutCancel(ctx), "Edit it again? [Y/n] ")
				if askErr == nil && !strings.HasPrefix(strings.ToLower(answer), "n") {
					return true, nil
				}
			}
			if err != nil {
				return false, fmt.Errorf("nothing was changed: %w", err)
			}
			hide(e.App, f)
			e.done = true
			e.changes = secrets.Compare(before, f.Values())
			return false, nil
		},
	}.Run(ctx)
}

// template is what is edited where there is no file yet.
func (e *edit) template() []byte {
	var b bytes.Buffer
	b.WriteString("# A name and its value on each line. Numbers that are to stay as they are written go in quotes.\n")
	for _, name := range e.file.declared {
		fmt.Fprintf(&b, "%s: \"\"\n", name)
	}
	return b.Bytes()
}
