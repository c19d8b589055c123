// Package secrets implements norn secrets.
package secrets

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/editor"
	"norn/internal/ui"
	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

const long = `The app's secrets are in secrets.enc.yaml beside its infraspec, encrypted with SOPS. Commit that file. The
sops command reads and writes it too. norn deploy copies the secrets that the infraspec declares to
the cluster. Only secrets edit and secrets exec reveal values.`

// New returns norn secrets.
func New(a *cli.App) *cobra.Command {
	cmd := cli.Group("secrets", "Manage the app's secrets in its SOPS file", long)
	cmd.Example = "  norn secrets init\n  norn secrets set API_TOKEN\n  norn secrets list shop"
	cmd.AddCommand(newList(a), newSet(a), newUnset(a), newEdit(a), newRotate(a), newInit(a), newExec(a))
	return cmd
}

// appFile is an app's encrypted file, with the secrets that the infraspec declares. It ignores other mistakes in the
// infraspec.
type appFile struct {
	path     string
	app      string
	declared []string
}

func findFile(a *cli.App, cmd *cobra.Command, arg string) (*appFile, error) {
	conf, err := a.Config(cmd)
	if err != nil {
		return nil, err
	}
	here, err := cli.Here()
	if err != nil {
		return nil, err
	}
	path, err := infraspec.Locate(arg, here, conf.AppsDir)
	if err != nil {
		return nil, err
	}
	editor.Sweep()
	spec, found := infraspec.Inspect(path)
	switch {
	case !infraspec.ValidName(spec.App): // nothing else in the file is certain
		return nil, infraspec.Errors(found)
	case infraspec.HasErrors(found):
		a.Warnf("%s is not valid, so the declared names may be incomplete; see norn validate", ui.DisplayPath(path))
	}
	laid, err := spec.In(conf.Env)
	if err != nil {
		return nil, err
	}
	if name := cmd.Name(); len(spec.Environments) > 0 && (name == "set" || name == "unset" || name == "edit") {
		a.Warnf("%s holds the secrets of all environments of %s", secrets.FileName, spec.App)
	}
	spec = laid
	return &appFile{path: filepath.Join(filepath.Dir(path), secrets.FileName), app: spec.App, declared: spec.Secrets}, nil
}

// hide redacts the values of f in all later output.
func hide(a *cli.App, f *secrets.File) {
	f.Each(func(name string, v secrets.Value) { a.Redactor.Hide(name, v.Reveal()) })
}

// Changed is the JSON output of a command that changes the file.
type Changed struct {
	Path    string          `json:"path"`
	Changes secrets.Changes `json:"changes"`
}

// printChanges prints the changed names, and warns about new names that the infraspec does not declare.
func printChanges(a *cli.App, file *appFile, c secrets.Changes) error {
	if a.JSON {
		return a.Encode(Changed{file.path, c})
	}
	text := c.String()
	if text == "" {
		text = "unchanged"
	}
	err := ui.PrintText(a.Streams.Out, ui.DisplayPath(file.path)+": "+text)
	for _, name := range c.Added {
		if !slices.Contains(file.declared, name) {
			a.Warnf("%s", undeclared(name, file.declared))
		}
	}
	return err
}

// undeclared returns a warning that the infraspec does not declare name, with the line to add.
func undeclared(name string, declared []string) string {
	for _, other := range declared {
		if strings.EqualFold(other, name) {
			return fmt.Sprintf("the infraspec declares %s, not %s; names are case-sensitive", other, name)
		}
	}
	if len(declared) == 0 {
		return fmt.Sprintf("%s is not declared, so the app does not get it; add this line to %s: secrets: [%[1]s]",
			name, infraspec.FileName)
	}
	return fmt.Sprintf("%s is not declared, so the app does not get it; add the line \"- %[1]s\" under secrets in %s",
		name, infraspec.FileName)
}

// appAndName splits the arguments [APP] NAME. Its error does not repeat NAME, which may be a value.
func appAndName(args []string) (app, name string, err error) {
	if len(args) == 1 {
		return "", args[0], nil
	}
	if infraspec.IsName(args[0]) && !infraspec.ValidName(args[0]) {
		return "", "", cli.Usagef("invalid app name %q; pass a value on standard input or with --from-file, "+
			"or omit it and enter it when norn asks", args[0])
	}
	return args[0], args[1], nil
}

// checkName returns an error if name is not valid for an environment variable. The error does not quote name, which
// may be a value.
func checkName(name string) error {
	if !infraspec.IsVariable(name) {
		return cli.Usagef("invalid name: must consist of letters, digits, '_', '.' and '-', and not begin with a digit")
	}
	return nil
}
