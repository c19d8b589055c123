// Package snapshots implements norn snapshots.
package snapshots

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/resource"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/deploy/database"
)

const long = `Before a migration, norn deploy dumps the database with pg_dump into the folder snapshots/ beside the
infraspec. The snapshots stay on this machine. Do not commit them.`

// New returns norn snapshots.
func New(a *cli.App) *cobra.Command {
	cmd := cli.Group("snapshots", "List and restore database snapshots", long)
	cmd.Example = "  norn snapshots list shop\n  norn snapshots restore shop shop_0123456789ab_20260102T030405Z.dump"
	cmd.AddCommand(newList(a), newRestore(a))
	return cmd
}

func newList(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "list [APP]",
		Short: "List the snapshots, newest first",
		Long: `Lists the snapshots in the folder snapshots/ beside the infraspec. artifacts.retain sets how many
snapshots norn keeps of each database.`,
		Example: "  norn snapshots list shop",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := a.Config(cmd)
			if err != nil {
				return err
			}
			spec, err := a.Spec(cli.Argument(args, 0), conf)
			if err != nil {
				return err
			}
			all, err := database.List(spec)
			if err != nil {
				return err
			}
			if a.JSON {
				return a.Encode(cli.Elements(listed(all))...)
			}
			rows := make([][]ui.Cell, 0, len(all))
			for _, s := range all {
				size := resource.NewQuantity(s.Bytes, resource.BinarySI).String()
				rows = append(rows, []ui.Cell{
					{Text: s.Name()}, {Text: s.Database}, {Text: s.Version}, {Text: cli.Age(&s.Time)}, {Text: size},
				})
			}
			ui.PrintTable(a.Streams.Out, []string{"SNAPSHOT", "DATABASE", "BEFORE", "AGE", "SIZE"}, rows, "BEFORE", "DATABASE")
			return nil
		},
	}
}

// Listed is the JSON output: a snapshot and its name.
type Listed struct {
	Name string `json:"name"`
	database.Snapshot
}

func listed(all []database.Snapshot) []Listed {
	out := make([]Listed, 0, len(all))
	for _, s := range all {
		out = append(out, Listed{s.Name(), s})
	}
	return out
}

// restoreOptions are the flags of norn snapshots restore.
type restoreOptions struct {
	deploy.RestoreOptions
	yes bool
}

func newRestore(a *cli.App) *cobra.Command {
	o := &restoreOptions{}
	cmd := &cobra.Command{
		Use:   "restore [APP] SNAPSHOT",
		Short: "Restore a database from a snapshot",
		Long: `Dumps the current database first, then restores the snapshot in one transaction. Running Pods are not
stopped: roll the app back to the version that matches the data.`,
		Example: "  norn snapshots restore shop shop_0123456789ab_20260102T030405Z.dump",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.Steps(cmd.Context(), func(out ui.Progress) error { return restore(a, cmd, args, o, out) })
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "skip the confirmation")
	cli.BindLock(cmd, &o.Lock)
	return cmd
}

func restore(a *cli.App, cmd *cobra.Command, args []string, o *restoreOptions, out ui.Progress) error {
	ctx := cmd.Context()
	app := ""
	if len(args) == 2 {
		app = args[0]
	}
	s, err := a.Connect(ctx, cmd, cli.Purpose{Action: "snapshots restore", App: app, Access: cli.Writes})
	if err != nil {
		return err
	}
	if o.Spec, err = a.Spec(app, s.Conf); err != nil {
		return err
	}
	found, err := database.Find(o.Spec, args[len(args)-1])
	if err != nil {
		return err
	}
	o.Environment = s.Environment
	o.Redactor, o.Namespace, o.App = a.Redactor, s.Conf.Namespace, o.Spec.App
	o.To, err = deploy.Connection(ctx, s.Client, found.Database, o.Target, cli.DatabaseSettings(s.Conf))
	if err != nil {
		return err
	}
	if !o.yes {
		doing := fmt.Sprintf("restore database %s on %s to its state at %s, for",
			found.Database, o.To.Server(), found.Time.Format(time.RFC3339))
		if err := a.Confirm(ctx, "restore", s.Title(doing, o.App), "norn dumps the current data first"); err != nil {
			return err
		}
	}
	if s.Environment == "" {
		out.Begin("restore " + found.Name())
	} else {
		out.Begin(s.Title("restore "+found.Name()+" for", o.App))
	}
	return deploy.RestoreSnapshot(ctx, s.Client, out, found, o.RestoreOptions)
}
