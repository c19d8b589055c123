package secrets

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/status"
	"norn/internal/ui"
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/secrets"
)

func newList(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "list [APP]",
		Short: "List the names of the app's secrets, and where they are",
		Long: `Lists the names of the secrets. For each name, shows whether the infraspec declares it, whether it is
encrypted in the file, whether it is in the cluster, and whether its value there differs. With --env,
also shows the file that its value comes from. Without a key or a cluster, norn omits what it cannot
know, and says why. Values are never shown.`,
		Example: "  norn secrets list\n  norn secrets list --env staging\n" +
			"  norn secrets list shop -o json | jq -r 'select(.changed) | .name'",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := a.Choose(cmd, cli.Purpose{App: cli.Argument(args, 0)})
			if err != nil {
				return err
			}
			file, err := findFile(a, cmd, cli.Argument(args, 0))
			if err != nil {
				return err
			}
			sources := status.SecretSources{
				Declared: file.declared, ByFile: file.place.Environment != "", References: file.spec.References(),
			}
			sources.Entries, err = file.place.Entries()
			switch {
			case errors.Is(err, fs.ErrNotExist) && len(sources.Declared) == 0 && len(sources.References) > 0:
			case errors.Is(err, fs.ErrNotExist):
				a.Warnf("%s does not exist yet; %s creates it", ui.DisplayPath(file.path), file.place.SetCommand("NAME"))
			case err != nil:
				return err
			default:
				if sources.Values, err = valuesIfKey(cmd.Context(), a, file.place); err != nil {
					return err
				}
			}
			client, unavailable, err := a.Reach(cmd.Context(), conf)
			if err != nil {
				return err
			}
			if client != nil {
				s := &cli.Session{Conf: conf, Client: client}
				if err = readLive(cmd.Context(), a, s, file.app, &sources); err != nil {
					return err
				}
				if err = readReferenced(cmd.Context(), a, s, &sources); err != nil {
					return err
				}
			}
			names := status.SecretNames(sources)
			if a.JSON {
				return a.Encode(append(cli.Elements(names), cli.NewConnection(client, unavailable, conf))...)
			}
			printSecretNames(a, names, sources)
			a.PrintConnection(client, unavailable, conf)
			return nil
		},
	}
}

// valuesIfKey returns the files' values. If there is no key to decrypt them, it prints a warning and returns nil.
func valuesIfKey(ctx context.Context, a *cli.App, place secrets.Place) (map[string]secrets.Value, error) {
	f, err := secrets.OpenLayers(ctx, place)
	var keyless *secrets.FileError
	if errors.As(err, &keyless) && keyless.NoKey {
		ui.PrintWarning(a.Streams.Err, err.Error()+"; changed values are not detected")
		return nil, nil //nolint:nilnil // without a key, there are no values
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	hide(a, f)
	return f.Values(), nil
}

// readLive adds the values in the cluster to sources. If it cannot read the Secret, or norn does not manage it, it
// prints a warning.
func readLive(
	ctx context.Context, a *cli.App, s *cli.Session, app string, sources *status.SecretSources,
) error {
	live, err := s.Client.GetSecret(ctx, s.Conf.Namespace, objects.SecretName(app))
	var denied *k8s.DeniedError
	switch {
	case k8s.IsNotFound(err):
		sources.Asked = true
		return nil
	case errors.As(err, &denied):
		ui.PrintWarning(a.Streams.Err, err.Error())
		return nil
	case err != nil:
		return err
	}
	if err := objects.CheckOwner("Secret", live, app); err != nil {
		ui.PrintWarning(a.Streams.Err, err.Error())
		sources.Foreign = true
	}
	sources.Asked, sources.Live = true, map[string]secrets.Value{}
	for key, value := range live.Data {
		a.Redactor.Hide(key, string(value))
		if !sources.Foreign {
			sources.Live[key] = secrets.NewValue(string(value))
		}
	}
	return nil
}

// readReferenced adds to sources which references exist in the cluster. It warns about Secrets that it cannot read.
func readReferenced(ctx context.Context, a *cli.App, s *cli.Session, sources *status.SecretSources) error {
	read, err := forge.ReadReferenced(ctx, s.Client, s.Conf.Namespace, sources.References)
	if err != nil {
		return err
	}
	read.Hide(sources.References, a.Redactor.Hide)
	for _, denied := range read.Denied {
		ui.PrintWarning(a.Streams.Err, denied.Error())
	}
	missing := read.Missing(sources.References)
	sources.Exists = map[string]bool{}
	for _, ref := range sources.References {
		absent := slices.ContainsFunc(missing, func(m forge.MissingReference) bool { return m.Name == ref.Name })
		if absent || read.Secrets[ref.Secret] != nil {
			sources.Exists[ref.Name] = !absent
		}
	}
	return nil
}

func printSecretNames(a *cli.App, names []status.SecretName, sources status.SecretSources) {
	if len(names) == 0 {
		return
	}
	head := []string{"NAME", "INFRASPEC", "FILE"}
	from := sources.ByFile || len(sources.References) > 0
	if from {
		head = append(head, "FROM")
	}
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
		if from {
			row = append(row, ui.Cell{Text: cli.Dash(n.From)})
		}
		switch {
		case sources.Foreign && n.File != status.Referenced:
			row = append(row, ui.Marked("not managed", ui.Warn))
		case sources.Asked:
			row = append(row, inCluster(n))
		}
		rows = append(rows, row)
	}
	ui.PrintTable(a.Streams.Out, head, rows)
}

var fileMarks = map[string]ui.Mark{
	"encrypted": ui.Good, status.Referenced: ui.Good, "readable": ui.Dim,
	"missing": ui.Bad, "plain": ui.Bad, "nested": ui.Warn,
}

func inCluster(n status.SecretName) ui.Cell {
	switch {
	case n.Cluster == nil:
		return ui.Marked("not checked", ui.Dim)
	case !*n.Cluster && n.Declared:
		return ui.Marked("missing", ui.Warn)
	case !*n.Cluster:
		return ui.Marked("-", ui.Dim)
	case !n.Declared:
		return ui.Marked("removed by the next deploy", ui.Warn)
	case n.Changed == nil:
		return ui.Marked("present", ui.Plain)
	case *n.Changed:
		return ui.Marked("changed", ui.Warn)
	}
	return ui.Marked("same", ui.Good)
}
