package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
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
		Long: `Opens the decrypted file, with its comments, in SOPS_EDITOR, VISUAL or EDITOR. norn keeps the text
in a private folder, in memory if the system supports it, and always wipes the folder. If the text
is not valid, nothing is written; on a terminal, you can edit it again. Until you close the editor,
other runs of norn cannot change the file.`,
		Example: "  norn secrets edit\n  norn secrets edit --env staging\n  EDITOR=nano norn secrets edit shop",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := findFile(a, cmd, cli.Argument(args, 0))
			if err != nil {
				return err
			}
			edit := &edit{App: a, file: file}
			// Ctrl-C in the editor must not end norn. norn ends after the editor.
			err = update(context.WithoutCancel(cmd.Context()), a, file, func(f *secrets.File) error {
				return edit.once(cmd.Context(), f)
			})
			if err != nil {
				return err
			}
			if len(edit.guessed) > 0 {
				a.Warnf("YAML reads the value of %s as a number, a time or a boolean, and changes its text; "+
					"quote it to keep the text", strings.Join(edit.guessed, ", "))
			}
			return finish(cmd.Context(), a, file, edit.changes)
		},
	}
}

// edit is the state of one norn secrets edit.
type edit struct {
	*cli.App
	file    *appFile
	changes secrets.Changes
	guessed []string // names whose values YAML reads as something other than text
	done    bool     // the editor has returned a valid text
}

// once opens the editor on f. If another program changes the file in between, secrets.Update calls once again. It then
// returns an error, so that no change is lost.
func (e *edit) once(ctx context.Context, f *secrets.File) error {
	hide(e.App, f)
	if e.done {
		return &secrets.FileError{
			Path:    e.file.path,
			Problem: "another program changed it during the edit; nothing was written",
			Advice:  "run norn secrets edit again",
		}
	}
	before := f.Values()
	text, err := f.Plain()
	if err != nil {
		return err
	}
	fresh := len(text) == 0
	if fresh {
		if text, err = e.template(); err != nil {
			return err
		}
	}
	prompt, atTerminal := ui.NewPrompt(e.Streams)
	return editor.Session{
		Name: "secrets.yaml", Text: text, AtTerminal: atTerminal,
		OnDisk: func(dir string) {
			e.Warnf("this system has no in-memory folder; the text is in %s during the edit, and is overwritten afterwards", dir)
		},
		Accept: func(ctx context.Context, edited []byte) (again bool, err error) {
			if bytes.Equal(edited, text) {
				return false, secrets.ErrUnchanged
			}
			e.guessed, err = f.Replace(edited)
			var syntax *secrets.SyntaxError
			if errors.As(err, &syntax) && atTerminal {
				ui.PrintError(e.Streams.Err, err)
				answer, askErr := prompt.Ask(ctx, "Edit it again? [Y/n] ")
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

// template returns the text to edit if the file does not exist yet. In the file of an environment, the names that the
// common file has are comments: an empty value would replace the common one.
func (e *edit) template() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# One name and value on each line. Put numbers in quotes to keep them as written.\n")
	var common []secrets.Entry
	if e.file.place.Environment != "" {
		var err error
		if common, err = secrets.Names(e.file.place.Common()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if len(common) > 0 {
		fmt.Fprintf(&b, "# The values of names behind # are those of %s. Remove the # to replace one.\n", secrets.FileName)
	}
	for _, name := range e.file.declared {
		if slices.ContainsFunc(common, named(name)) {
			b.WriteString("# ")
		}
		fmt.Fprintf(&b, "%s: \"\"\n", name)
	}
	return b.Bytes(), nil
}
