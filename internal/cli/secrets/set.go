package secrets

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/redact"
	"norn/internal/ui"
	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

func newSet(a *cli.App) *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "set [APP] NAME",
		Short: "Set a value in the app's SOPS file",
		Long: `Asks for the value without showing it, or reads it from standard input without the newline at its end.
--from-file reads a file as it is. If the SOPS file does not exist yet, norn creates it for the
recipients in .sops.yaml; see norn secrets init. On a terminal, norn offers to add a new name to the
infraspec.

With --env, sets the value of one environment only. If no rule in .sops.yaml matches a new file of an
environment, it gets the recipients of secrets.enc.yaml.

NAME=VALUE works too, but is discouraged: other users of the machine see it in the list of
processes, and the shell keeps it in its history.`,
		Example: `  norn secrets set API_TOKEN
  pass show shop/db | norn secrets set shop DB_PASSWORD
  norn secrets set --env staging API_TOKEN
  norn secrets set TLS_KEY --from-file key.pem`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			last, value, inArgs := strings.Cut(args[len(args)-1], "=")
			args[len(args)-1] = last
			if inArgs {
				a.Redactor.Hide(last, value)
			}
			appArg, name, err := appAndName(args)
			if err == nil {
				err = checkName(name)
			}
			if err != nil {
				return err
			}
			file, err := findFile(a, cmd, appArg)
			if err != nil {
				return err
			}
			if err := refuseReferenced(file, name); err != nil {
				return err
			}
			switch {
			case inArgs && from != "":
				return cli.Usagef("=VALUE and --from-file cannot be combined")
			case inArgs:
				a.Warnf("other users can see a value on the command line, and the shell keeps it in its history; " +
					"omit =VALUE and enter the value when norn asks")
			default:
				if from == "" {
					err = secrets.Ready(file.path)
				}
				if err != nil {
					return err
				}
				if value, err = readValue(a, cmd, name, from); err != nil {
					return err
				}
			}
			return setSecret(a, cmd, file, name, value)
		},
	}
	cmd.Flags().StringVar(&from, "from-file", "", "file to read the value from, as it is; - for standard input")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if strings.Contains(err.Error(), "unknown") { // perhaps a value that begins with a dash
			err = errors.New("unknown flag; pass a value that begins with - on standard input")
		}
		return cli.FlagError(err)
	})
	return cmd
}

// readValue reads the value from a prompt, a pipe or a file.
func readValue(a *cli.App, cmd *cobra.Command, name, from string) (string, error) {
	if from != "" {
		data, err := a.ReadFile(cmd.Context(), from)
		if err != nil {
			return "", fmt.Errorf("read the value: %w", err)
		}
		return string(data), nil
	}
	if prompt, ok := ui.NewPrompt(a.Streams); ok {
		value, err := prompt.AskHidden(cmd.Context(), name+": ")
		if err == nil && value == "" {
			return "", cli.Usagef("no value entered; norn secrets set %s= sets an empty value", name)
		}
		return value, err
	}
	data, err := a.ReadFile(cmd.Context(), "-")
	if err != nil {
		return "", fmt.Errorf("read the value: %w", err)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if value == "" {
		return "", cli.Usagef("standard input is empty; norn secrets set %s= sets an empty value", name)
	}
	return value, nil
}

// refuseReferenced returns an error if a name is that of a secret with its value in a Secret that norn does not manage:
// a value in the file would have no effect.
func refuseReferenced(file *appFile, names ...string) error {
	for _, name := range names {
		if ref, ok := file.spec.Reference(name); ok {
			return cli.Usagef("%s comes from key %s of Secret %s, which norn does not manage; change the value there, "+
				"or remove from in %s", name, ref.Key, ref.Secret, ui.DisplayPath(file.spec.Path()))
		}
	}
	return nil
}

func setSecret(a *cli.App, cmd *cobra.Command, file *appFile, name, value string) error {
	a.Redactor.Hide(name, value)
	if strings.ContainsRune(value, 0) || !utf8.ValidString(value) {
		return cli.Usagef("the value is not UTF-8 text, and cannot be an environment variable; " +
			"store it in base64, and decode it in the app")
	}
	var changes secrets.Changes
	err := update(cmd.Context(), a, file, func(f *secrets.File) error {
		hide(a, f)
		before := f.Values()
		old, there := before[name]
		if changes = (secrets.Changes{}); there && old.Reveal() == value {
			return secrets.ErrUnchanged
		}
		err := f.Set(name, value)
		changes = secrets.Compare(before, f.Values())
		return err
	})
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("set %s: %w", name, err)
	}
	if err != nil {
		return err
	}
	warnCommonWord(a, name, value)
	return finish(cmd.Context(), a, file, changes)
}

// warnCommonWord warns about a value that also occurs in other text.
func warnCommonWord(a *cli.App, name, value string) {
	if redact.Common(value) {
		a.Warnf("the value of %s is a word or a short number; norn hides it wherever it occurs in output, "+
			"so use a random value if %[1]s is a secret", name)
	}
}

func newUnset(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "unset [APP] NAME",
		Short: "Remove a value from the app's SOPS file",
		Long: `Removes a value from the encrypted file. The cluster keeps it until the next deploy, and the repository's
history keeps it encrypted. If a value has leaked, replace it with a new one.`,
		Example: "  norn secrets unset OLD_TOKEN\n  norn secrets unset --env staging OLD_TOKEN\n" +
			"  norn secrets unset shop OLD_TOKEN",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			appArg, name, err := appAndName(args)
			if err != nil {
				return err
			}
			file, err := findFile(a, cmd, appArg)
			if err != nil {
				return err
			}
			if _, err := secrets.Names(file.path); err != nil { // Update would create a missing file
				return err
			}
			err = secrets.Update(cmd.Context(), file.path, func(f *secrets.File) error {
				hide(a, f)
				if !f.Unset(name) {
					return &secrets.NameError{Name: name, Problem: "is not in " + ui.DisplayPath(file.path)}
				}
				return nil
			})
			if err != nil {
				return err
			}
			warnStillDeclared(a, file, name)
			return finish(cmd.Context(), a, file, secrets.Changes{Removed: []string{name}})
		},
	}
}

func named(name string) func(secrets.Entry) bool {
	return func(e secrets.Entry) bool { return e.Name == name }
}

// warnStillDeclared warns that the infraspec declares a removed name that no file has any more.
func warnStillDeclared(a *cli.App, file *appFile, name string) {
	specs := []*infraspec.Spec{file.spec}
	if file.allEnvironments() {
		specs = file.spec.InEnvironments()
	}
	var into []string
	for _, spec := range specs {
		place := secrets.Place{Dir: file.place.Dir, Environment: spec.Environment}
		entries, _ := place.Entries() // the command has just written the file
		if slices.Contains(spec.Secrets, name) && !slices.ContainsFunc(entries, named(name)) {
			into = append(into, spec.Environment)
		}
	}
	where := ""
	if all := strings.Join(into, ", "); all != "" {
		where = " into " + all
	}
	if len(into) > 0 {
		a.Warnf("%s is still declared: remove it from secrets: in the infraspec, or the next norn deploy%s fails", name,
			where)
	}
}
