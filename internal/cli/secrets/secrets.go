// Package secrets is norn secrets.
package secrets

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

// New returns norn secrets.
func New(a *cli.App) *cobra.Command {
	cmd := cli.Group("secrets", "Keep the app's secrets in its SOPS file", `The app's secrets are in secrets.enc.yaml beside its infraspec, encrypted with SOPS: the file belongs into the repository, and the sops command
reads and writes it too. norn deploy puts the names that the infraspec declares into the cluster. No value is ever shown.`)
	cmd.Example = "  norn secrets init\n  norn secrets set API_TOKEN\n  norn secrets list shop"
	for _, sub := range []*cobra.Command{
		newList(a), newSet(a), newUnset(a), newEdit(a), newRotate(a), newInit(a), newExec(a),
	} {
		cmd.AddCommand(sub)
	}
	return cmd
}

// appFile is an app's encrypted file, and what its infraspec says about it. Mistakes elsewhere in the infraspec do not matter.
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
	spec, _ := infraspec.Inspect(path)
	return &appFile{path: filepath.Join(filepath.Dir(path), secrets.FileName), app: spec.App, declared: spec.Secrets}, nil
}

// hide keeps a file's values out of everything that is printed from now on.
func hide(a *cli.App, f *secrets.File) {
	f.Each(func(name string, v secrets.Value) { a.Redactor.Hide(name, v.Reveal()) })
}

// Changed is what became of the file, by name.
type Changed struct {
	Path    string          `json:"path"`
	Changes secrets.Changes `json:"changes"`
}

// printChanges says by name what became of the file, and what the infraspec does not know of yet.
func printChanges(a *cli.App, file *appFile, c secrets.Changes) error {
	if a.JSON {
		return a.Encode(Changed{file.path, c})
	}
	text := c.String()
	if text == "" {
		text = "unchanged"
	}
	_, err := fmt.Fprintf(a.Streams.Out, "%s: %s\n", ui.Shown(file.path), text)
	for _, name := range c.Added {
		if !slices.Contains(file.declared, name) {
			ui.PrintWarning(a.Streams.Err, name+" is not under secrets: in the infraspec, so the app does not get it yet")
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
		return "", "", cli.Usagef("%s is no app's name; a value is not an argument: it is asked for, or comes from standard input or --from-file", args[0])
	}
	return args[0], args[1], nil
}

// checkName refuses what can name no environment variable. It does not repeat it: it may be a value.
func checkName(name string) error {
	if !infraspec.IsVariable(name) {
		return cli.Usagef("this is not a variable's name: letters, digits, '_', '.' and '-', no digit first")
	}
	return nil
}
