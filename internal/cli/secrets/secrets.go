// Package secrets implements norn secrets.
package secrets

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/editor"
	"norn/internal/ui"
	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

const long = `The app's secrets are in secrets.enc.yaml beside its infraspec, encrypted with SOPS. Commit that file. The
sops command reads and writes it too. norn deploy copies the secrets that the infraspec declares to
the cluster. Only secrets edit and secrets exec reveal values.

With --env, the values in secrets.ENV.enc.yaml replace those of the same name, and set, unset, edit,
import and rotate change that file. Without --env, they change the file that all environments share.`

// New returns norn secrets.
func New(a *cli.App) *cobra.Command {
	cmd := cli.Group("secrets", "Manage the app's secrets in its SOPS file", long)
	cmd.Example = "  norn secrets init\n  norn secrets set API_TOKEN\n  norn secrets list shop"
	cmd.AddCommand(newList(a), newSet(a), newUnset(a), newImport(a), newEdit(a), newRotate(a), newInit(a), newExec(a))
	return cmd
}

// appFile is an app's encrypted file, with the secrets that the infraspec declares. It ignores other mistakes in the
// infraspec.
type appFile struct {
	place    secrets.Place
	path     string // of the file that the command writes
	app      string
	spec     *infraspec.Spec // in the chosen environment
	declared []string        // without an environment, also those of all environments
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
	place := secrets.Place{Dir: filepath.Dir(path), Environment: conf.Env}
	f := &appFile{place: place, path: place.Own(), app: spec.App, spec: laid, declared: declaredIn(laid)}
	if f.allEnvironments() {
		f.warnCommon(a, cmd.Name())
	}
	return f, nil
}

// allEnvironments reports whether the app has environments and none is chosen, so that the command works on the file
// that all share.
func (f *appFile) allEnvironments() bool {
	return f.place.Environment == "" && len(f.spec.Environments) > 0
}

// warnCommon warns that a command works on the file that all environments share.
func (f *appFile) warnCommon(a *cli.App, command string) {
	switch command {
	case "set", "unset", "edit", "import":
		a.Warnf("no environment is chosen with --env: %s holds the values for all environments of %s",
			secrets.FileName, f.app)
	case "exec":
		a.Warnf("no environment is chosen with --env: the values are those of %s alone", secrets.FileName)
	case "rotate":
		for _, name := range f.spec.EnvironmentNames() {
			own := secrets.Place{Dir: f.place.Dir, Environment: name}.Own()
			if _, err := os.Stat(own); err == nil {
				a.Warnf("%s keeps its key: run norn secrets rotate --env %s too", ui.DisplayPath(own), name)
			}
		}
	}
}

// declaredIn returns the names that an infraspec declares. If it has environments and is not that of one of them, they
// include the names of all.
func declaredIn(spec *infraspec.Spec) []string {
	names := slices.Clone(spec.Secrets)
	if spec.Environment == "" {
		for _, one := range spec.InEnvironments() {
			for _, name := range one.Secrets {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// hide redacts the values of a file, or of several, in all later output.
func hide(a *cli.App, f interface {
	Each(do func(name string, v secrets.Value))
}) {
	f.Each(func(name string, v secrets.Value) { a.Redactor.Hide(name, v.Reveal()) })
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
