package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/resource"

	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/deploy/database"
)

func newSnapshotsCmd(a *app) *cobra.Command {
	cmd := group("snapshots", "List the dumps of databases that were taken before migrations, or go back to one", `norn deploy dumps a database with pg_dump before it migrates it, into the folder snapshots/ beside the infraspec. The dumps stay on this machine, and
belong into no repository.`)
	cmd.Example = "  norn snapshots list shop\n  norn snapshots restore shop shop_0123456789ab_20260102T030405Z.dump"
	for _, sub := range []*cobra.Command{newSnapshotsListCmd(a), newSnapshotsRestoreCmd(a)} {
		cmd.AddCommand(sub)
	}
	return cmd
}

func newSnapshotsListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list [APP]",
		Short:   "List them, newest first",
		Long:    "Lists the files in snapshots/, beside the infraspec. artifacts.retain of each database are kept.",
		Example: "  norn snapshots list shop",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := a.config(cmd)
			if err != nil {
				return err
			}
			spec, err := a.spec(argument(args, 0), conf)
			if err != nil {
				return err
			}
			all, err := database.List(spec)
			if err != nil {
				return err
			}
			if a.JSON {
				return a.encode(elements(namedSnapshots(all))...)
			}
			rows := make([][]ui.Cell, 0, len(all))
			for _, s := range all {
				rows = append(rows, []ui.Cell{{Text: s.Name()}, {Text: s.Database}, {Text: s.Version}, {Text: age(&s.Time)}, {Text: resource.NewQuantity(s.Bytes, resource.BinarySI).String()}})
			}
			ui.PrintTable(a.streams.Out, []string{"SNAPSHOT", "DATABASE", "BEFORE", "AGE", "SIZE"}, rows, "BEFORE", "DATABASE")
			return nil
		},
	}
}

type namedSnapshot struct {
	Name string `json:"name"`
	database.Snapshot
}

func namedSnapshots(all []database.Snapshot) []namedSnapshot {
	out := make([]namedSnapshot, 0, len(all))
	for _, s := range all {
		out = append(out, namedSnapshot{s.Name(), s})
	}
	return out
}

func newSnapshotsRestoreCmd(a *app) *cobra.Command {
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
			return a.steps(cmd.Context(), func(out ui.Progress) error { return a.restore(cmd, args, out, o, yes) })
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	bindLock(cmd, &o.Lock)
	return cmd
}

func (a *app) restore(cmd *cobra.Command, args []string, out ui.Progress, o deploy.RestoreOptions, yes bool) error {
	ctx := cmd.Context()
	s, err := a.connect(ctx, cmd, "snapshots restore")
	if err != nil {
		return err
	}
	app := ""
	if len(args) == 2 {
		app = args[0]
	}
	if o.Spec, err = a.spec(app, s.conf); err != nil {
		return err
	}
	found, err := database.Find(o.Spec, args[len(args)-1])
	if err != nil {
		return err
	}
	if !yes {
		question := fmt.Sprintf("put database %s back to how it was at %s", found.Database, found.Time.Format(time.RFC3339))
		if err := a.confirm(ctx, "restore", question, "what is there now is dumped first"); err != nil {
			return err
		}
	}
	o.Redactor = a.redactor
	o.Namespace, o.App, o.Database = s.conf.Namespace, o.Spec.App, databaseSettings(s.conf)
	out.Begin("restore " + found.Name())
	return deploy.RestoreSnapshot(ctx, s.client, out, found, o)
}
