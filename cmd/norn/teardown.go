package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/forge"
)

// teardownFlags are teardown's.
type teardownFlags struct {
	forge.Removal
	yes, dry bool
}

func newTeardownCmd(a *app) *cobra.Command {
	what := &teardownFlags{}
	cmd := &cobra.Command{
		Use:   "teardown [APP]",
		Short: "Delete what forge and deploy made; the data stays",
		Long: `Deletes the app's tunnel rule, Service, Deployment or CronJob with its pods, and Secret. PersistentVolumeClaims and the data
in them stay and are named, unless --delete-data. It goes by the cluster's labels, so that an app whose infraspec
is gone can be torn down by its name. It can be run again: what is gone is skipped.`,
		Example: "  norn teardown shop --dry-run\n  norn teardown shop --yes",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.steps(cmd.Context(), func(out ui.Progress) error { return a.teardown(cmd, args, what, out) })
		},
	}
	cmd.Flags().BoolVarP(&what.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&what.DeleteData, "delete-data", false, "delete the PersistentVolumeClaims too, and the data in them")
	cmd.Flags().BoolVar(&what.dry, "dry-run", false, "only tell what would be deleted")
	bindLock(cmd, &what.Lock)
	return cmd
}

func (a *app) teardown(cmd *cobra.Command, args []string, what *teardownFlags, out ui.Progress) error {
	ctx := cmd.Context()
	s, err := a.connect(ctx, cmd, "teardown")
	if err != nil {
		return err
	}
	name, onDisk, err := a.nameOf(argument(args, 0), s.conf)
	if err != nil {
		return err
	}
	what.Namespace, what.App = s.conf.Namespace, name
	if !onDisk { // a name that nobody knows is a slip, or an app that is gone already
		if known, err := forge.Known(ctx, s.client, what.Removal); err != nil || !known {
			if err == nil {
				ui.PrintWarning(a.streams.Err, a.say(fmt.Sprintf("there is nothing of %s in namespace %s; norn status lists the apps there are", name, s.conf.Namespace)))
			}
			return err
		}
	}
	if !what.yes && !what.dry {
		data := "the data stays"
		if what.DeleteData {
			data = "with all its data"
		}
		if err := a.confirm(ctx, "teardown", s.title("tear down", name), data); err != nil {
			return err
		}
	}
	out.Begin(s.title("teardown", name))
	if what.dry {
		return forge.PlanTeardown(ctx, s.client, out, what.Removal)
	}
	return forge.Teardown(ctx, s.client, out, what.Removal)
}
