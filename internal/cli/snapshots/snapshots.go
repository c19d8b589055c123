// Package snapshots is norn snapshots.
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

// New returns norn snapshots.
func New(a *cli.App) *cobra.Command {
	cmd := cli.Group("snapshots", "List the dumps of databases that were taken before migrations, or go back to one", `norn deploy dumps a database with pg_dump before it migrates it, into the folder snapshots/ beside the infraspec. The dumps stay on this machine, and
belong into no repository.`)
	cmd.Example = "  norn snapshots list shop\n  norn snapshots restore shop shop_0123456789ab_20260102T030405Z.dump"
	for _, sub := range []*cobra.Command{newList(a), newRestore(a)} {
		cmd.AddCommand(sub)
	}
	return cmd
}

func newList(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:     "list [APP]",
		Short:   "List them, newest first",
		Long:    "Lists the files in snapshots/, beside the infraspec. artifacts.retain of each database are kept.",
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
				rows = append(rows, []ui.Cell{{Text: s.Name()}, {Text: s.Database}, {Text: s.Version}, {Text: cli.Age(&s.Time)}, {Text: resource.NewQuantity(s.Bytes, resource.BinarySI).String()}})
			}
			ui.PrintTable(a.Streams.Out, []string{"SNAPSHOT", "DATABASE", "BEFORE", "AGE", "SIZE"}, rows, "BEFORE", "DATABASE")
			return nil
		},
	}
}

// Listed is a snapshot with its name.
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

func newRestore(a *cli.App) *cobra.Command {
	o := deploy.RestoreOptions{}
	var yes bool
	cmd := &cobra.Command{
		Use:   "restore [APP] SNAPSHOT",
		Short: "Bring a database back to one",
		Long: `Dumps the database as it is, then brings back what the snapshot holds, in one transaction. Pods that
run go on meanwhile: roll them back to the version that the data belongs to.`,
		Example: "  norn snapshots restore shop shop_0123456789ab_20260102T030405Z.dump",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.Steps(cmd.Context(), func(out ui.Run) error { return restore(a, cmd, args, out, o, yes) })
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cli.BindLock(cmd, &o.Lock)
	return cmd
}

func restore(a *cli.App, cmd *cobra.Command, args []string, out ui.Run, o deploy.RestoreOptions, yes bool) error {
	ctx := cmd.Context()
	s, err := a.Connect(ctx, cmd, "snapshots restore")
	if err != nil {
		return err
	}
	app := ""
	if len(args) == 2 {
		app = args[0]
	}
	if o.Spec, err = a.Spec(app, s.Conf); err != nil {
		return err
	}
	found, err := database.Find(o.Spec, args[len(args)-1])
	if err != nil {
		return err
	}
	if !yes {
		question := fmt.Sprintf("put database %s back to how it was at %s", found.Database, found.Time.Format(time.RFC3339))
		if err := a.Confirm(ctx, "restore", question, "what is there now is dumped first"); err != nil {
			return err
		}
	}
	o.Redactor = a.Redactor
	o.Namespace, o.App, o.Database = s.Conf.Namespace, o.Spec.App, cli.DatabaseSettings(s.Conf)
	out.Begin("restore " + found.Name())
	return deploy.RestoreSnapshot(ctx, s.Client, out, found, o)
}
