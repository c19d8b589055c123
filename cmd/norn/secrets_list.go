package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"norn/internal/config"
	"norn/internal/status"
	"norn/internal/ui"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/secrets"
)

func newSecretsListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list [APP]",
		Short: "Show the names of the app's secrets, and where they are",
		Long: `Shows each name: whether the infraspec declares it, how it stands in the file, whether it is in the cluster, and whether the cluster has
another value. Without a key or without a cluster, what that would tell is left out, and why is said. Values are never shown.`,
		Example: "  norn secrets list\n  norn secrets list shop -o json | jq -r 'select(.changed) | .name'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := a.config(cmd)
			if err != nil {
				return err
			}
			file, err := a.secretsFile(cmd, argument(args, 0))
			if err != nil {
				return err
			}
			sources := status.SecretSources{Declared: file.declared}
			sources.Entries, err = secrets.Names(file.path)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				ui.PrintWarning(a.streams.Err, a.say(fmt.Sprintf("there is no %s yet; norn secrets set makes it", ui.DisplayPath(file.path))))
			case err != nil:
				return err
			default:
				if sources.Values, err = a.valuesIfKey(cmd.Context(), file.path); err != nil {
					return err
				}
			}
			client, unavailable, err := a.reach(cmd.Context())
			if err != nil {
				return err
			}
			if client != nil {
				if sources.Live, sources.Asked, err = a.liveValues(cmd.Context(), client, conf, file.app); err != nil {
					return err
				}
			}
			names := status.SecretNames(sources)
			if a.JSON {
				return a.encode(append(elements(names), connection(client, unavailable, conf))...)
			}
			a.printSecretNames(names, sources)
			a.printConnection(client, unavailable, conf)
			return nil
		},
	}
}

// valuesIfKey are the file's values, or nil with a warning where there is no key for them.
func (a *app) valuesIfKey(ctx context.Context, path string) (map[string]secrets.Value, error) {
	f, err := secrets.Open(ctx, path)
	var keyless *secrets.FileError
	if errors.As(err, &keyless) && keyless.NoKey {
		ui.PrintWarning(a.streams.Err, err.Error()+"; so it is not known which values have changed")
		return nil, nil //nolint:nilnil // that is the answer
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a.hide(f)
	return f.Values(), nil
}

// liveValues are those in the app's Secret. One that is not norn's, or may not be read, is only warned of.
func (a *app) liveValues(ctx context.Context, client *k8s.Client, conf *config.Config, app string) (values map[string]secrets.Value, known bool, err error) {
	live, err := client.GetSecret(ctx, conf.Namespace, objects.SecretName(app))
	switch {
	case k8s.IsNotFound(err):
		return nil, true, nil
	case is[*k8s.DeniedError](err):
		ui.PrintWarning(a.streams.Err, err.Error())
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	if err := objects.Owned("Secret", live, app); err != nil {
		ui.PrintWarning(a.streams.Err, err.Error())
		return nil, true, nil
	}
	values = map[string]secrets.Value{}
	for key, value := range live.Data {
		a.redactor.Hide(key, string(value))
		values[key] = secrets.NewValue(string(value))
	}
	return values, true, nil
}

func (a *app) printSecretNames(names []status.SecretName, sources status.SecretSources) {
	if len(names) == 0 {
		return
	}
	head := []string{"NAME", "INFRASPEC", "FILE"}
	if sources.Asked {
		head = append(head, "CLUSTER")
	}
	var rows [][]ui.Cell
	for _, n := range names {
		declared := ui.Marked("declared", ui.Good)
		if !n.Declared {
			declared = ui.Marked("not declared", ui.Warn)
		}
		row := []ui.Cell{{Text: n.Name}, declared, ui.Marked(n.File, fileMarks[n.File])}
		if sources.Asked {
			row = append(row, inCluster(n))
		}
		rows = append(rows, row)
	}
	ui.PrintTable(a.streams.Out, head, rows)
}

var fileMarks = map[string]ui.Mark{"encrypted": ui.Good, "readable": ui.Dim, "missing": ui.Bad, "plain": ui.Bad, "nested": ui.Warn}

func inCluster(n status.SecretName) ui.Cell {
	switch {
	case !*n.Cluster && n.Declared:
		return ui.Marked("missing", ui.Warn)
	case !*n.Cluster:
		return ui.Marked("-", ui.Dim)
	case !n.Declared:
		return ui.Marked("goes with the next deploy", ui.Warn)
	case n.Changed == nil:
		return ui.Marked("there", ui.Plain)
	case *n.Changed:
		return ui.Marked("changed", ui.Warn)
	}
	return ui.Marked("same", ui.Good)
}
