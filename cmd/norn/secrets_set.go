package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/secrets"
)

func newSecretsSetCmd(a *app) *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "set [APP] NAME",
		Short: "Set a value in the app's SOPS file",
		Long: `Asks for the value without showing it, or reads it from standard input, of which one newline at the end is left out. --from-file takes a
file as it is. A file that does not exist yet is made for those whom .sops.yaml names; see norn secrets init. NAME=VALUE works and is
discouraged: other users of the machine see it in the list of processes, and the shell keeps it in its history.`,
		Example: "  norn secrets set API_TOKEN\n  pass show shop/db | norn secrets set shop DB_PASSWORD\n  norn secrets set TLS_KEY --from-file key.pem",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			last, value, inArgs := strings.Cut(args[len(args)-1], "=")
			args[len(args)-1] = last
			if inArgs {
				a.redactor.Hide(last, value)
			}
			appArg, name, err := appAndName(args)
			if err == nil {
				err = checkName(name)
			}
			if err != nil {
				return err
			}
			file, err := a.secretsFile(cmd, appArg)
			if err != nil {
				return err
			}
			switch {
			case inArgs && from != "":
				return &usageError{err: errors.New("a value is given twice")}
			case inArgs:
				ui.PrintWarning(a.streams.Err, "a value on the command line is seen by other users and kept in the shell's history; leave =VALUE out to be asked for it")
			default:
				if from == "" {
					err = secrets.Ready(file.path)
				}
				if err != nil {
					return err
				}
				if value, err = a.readValue(cmd, name, from); err != nil {
					return err
				}
			}
			return a.setSecret(cmd, file, name, value)
		},
	}
	cmd.Flags().StringVar(&from, "from-file", "", "read the value from a file, as it is; - is standard input")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if strings.Contains(err.Error(), "unknown") { // it may be a value that begins with a dash
			err = errors.New("there is no such flag; a value that begins with - is given on standard input")
		}
		return &usageError{err: plainFlagError(err)}
	})
	return cmd
}

// readValue is the value that is typed, piped or in a file.
func (a *app) readValue(cmd *cobra.Command, name, from string) (string, error) {
	if from != "" {
		data, err := a.read(from)
		if err != nil {
			return "", fmt.Errorf("read the value: %w", err)
		}
		return string(data), nil
	}
	if prompt, ok := ui.NewPrompt(a.streams); ok {
		value, err := prompt.AskHidden(cmd.Context(), name+": ")
		if err == nil && value == "" {
			return "", &usageError{err: fmt.Errorf("nothing was entered; norn secrets set %s= sets an empty value", name)}
		}
		return value, err
	}
	data, err := io.ReadAll(a.streams.In)
	if err != nil {
		return "", fmt.Errorf("read the value: %w", err)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if value == "" {
		return "", &usageError{err: fmt.Errorf("standard input is empty; norn secrets set %s= sets an empty value", name)}
	}
	return value, nil
}

func (a *app) setSecret(cmd *cobra.Command, file *secretsFile, name, value string) error {
	a.redactor.Hide(name, value)
	if strings.ContainsRune(value, 0) || !utf8.ValidString(value) {
		return &usageError{err: errors.New("the value holds bytes that are no text, which no environment variable can hold; store it in base64, and decode it in the app")}
	}
	var changes secrets.Changes
	err := secrets.Update(cmd.Context(), file.path, func(f *secrets.File) error {
		a.hide(f)
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
	return a.tellChanges(file, changes)
}

func newSecretsUnsetCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "unset [APP] NAME",
		Short: "Take a value out of the app's SOPS file",
		Long: `Takes a value out of the encrypted file. The cluster keeps it until the next deploy, and the repository's history keeps it encrypted: a value that has
become known has to be changed where it is used.`,
		Example: "  norn secrets unset OLD_TOKEN\n  norn secrets unset shop OLD_TOKEN",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			appArg, name, err := appAndName(args)
			if err != nil {
				return err
			}
			file, err := a.secretsFile(cmd, appArg)
			if err != nil {
				return err
			}
			if _, err := secrets.Names(file.path); err != nil { // nothing is made for the sake of taking something out
				return err
			}
			err = secrets.Update(cmd.Context(), file.path, func(f *secrets.File) error {
				a.hide(f)
				if !f.Unset(name) {
					return &secrets.NameError{Name: name, Problem: "is not in " + ui.DisplayPath(file.path)}
				}
				return nil
			})
			if err != nil {
				return err
			}
			for _, d := range file.declared {
				if d == name {
					ui.PrintWarning(a.streams.Err, a.say(name+" is still under secrets: in the infraspec; norn deploy wants it in the file until it is taken out there"))
				}
			}
			return a.tellChanges(file, secrets.Changes{Removed: []string{name}})
		},
	}
}
