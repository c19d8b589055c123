package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

func newSecretsCmd(a *app) *cobra.Command {
	cmd := group("secrets", "Keep the app's secrets in its SOPS file", `The app's secrets are in secrets.enc.yaml beside its infraspec, encrypted with SOPS: the file belongs into the repository, and the sops command
reads and writes it too. norn deploy puts the names that the infraspec declares into the cluster. No value is ever shown.`)
	cmd.Example = "  norn secrets init\n  norn secrets set API_TOKEN\n  norn secrets list shop"
	for _, sub := range []*cobra.Command{
		newSecretsListCmd(a), newSecretsSetCmd(a), newSecretsUnsetCmd(a), newSecretsEditCmd(a), newSecretsRotateCmd(a), newSecretsInitCmd(a), newSecretsExecCmd(a),
	} {
		cmd.AddCommand(sub)
	}
	return cmd
}

// secretsFile is an app's encrypted file, and what its infraspec says about it. Mistakes elsewhere in the infraspec do not matter.
type secretsFile struct {
	path     string
	app      string
	declared []string
}

func (a *app) secretsFile(cmd *cobra.Command, arg string) (*secretsFile, error) {
	conf, err := a.config(cmd)
	if err != nil {
		return nil, err
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the current folder: %w", err)
	}
	path, err := infraspec.Locate(arg, here, conf.AppsDir)
	if err != nil {
		return nil, err
	}
	spec, _ := infraspec.Inspect(path)
	return &secretsFile{path: filepath.Join(filepath.Dir(path), secrets.FileName), app: spec.App, declared: spec.Secrets}, nil
}

// hide keeps a file's values out of everything that is printed from now on.
func (a *app) hide(f *secrets.File) {
	f.Each(func(name string, v secrets.Value) { a.redactor.Hide(name, v.Reveal()) })
}

// secretsChanged is what became of the file, by name.
type secretsChanged struct {
	Path    string          `json:"path"`
	Changes secrets.Changes `json:"changes"`
}

// tellChanges says by name what became of the file, and what the infraspec does not know of yet.
func (a *app) tellChanges(file *secretsFile, c secrets.Changes) error {
	if a.JSON {
		return a.encode(secretsChanged{file.path, c})
	}
	text := c.String()
	if text == "" {
		text = "unchanged"
	}
	_, err := fmt.Fprintf(a.streams.Out, "%s: %s\n", ui.DisplayPath(file.path), text)
	for _, name := range c.Added {
		if !slices.Contains(file.declared, name) {
			ui.PrintWarning(a.streams.Err, name+" is not under secrets: in the infraspec, so the app does not get it yet")
		}
	}
	return err
}

// appAndName are the arguments [APP] NAME. The name is not repeated where it may be a value.
func appAndName(args []string) (app, name string, err error) {
	if len(args) == 1 {
		return "", args[0], nil
	}
	if infraspec.IsName(args[0]) && !infraspec.ValidName(args[0]) {
		return "", "", &usageError{err: fmt.Errorf("%s is no app's name; a value is not an argument: it is asked for, or comes from standard input or --from-file", args[0])}
	}
	return args[0], args[1], nil
}

// checkName refuses what can name no environment variable. It does not repeat it: it may be a value.
func checkName(name string) error {
	if !infraspec.IsVariable(name) {
		return &usageError{err: fmt.Errorf("this is not a variable's name: letters, digits, '_', '.' and '-', no digit first")}
	}
	return nil
}
