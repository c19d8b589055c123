// Package teardown is norn teardown.
package teardown

import (
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/forge"
)

// options are the flags of norn teardown.
type options struct {
	forge.Removal
	yes    bool
	dryRun bool
}

// New returns norn teardown.
func New(a *cli.App) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "teardown [APP]",
		Short: "Delete what forge and deploy made; the data stays",
		Long: `Deletes the app's tunnel rule, Service, Deployment or CronJob with its pods, and Secret. PersistentVolumeClaims and the data
in them stay and are named, unless --delete-data. It goes by the cluster's labels, so that an app whose infraspec
is gone can be torn down by its name. It can be run again: what is gone is skipped.`,
		Example: "  norn teardown shop --dry-run\n  norn teardown shop --yes",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.Steps(cmd.Context(), func(out ui.Run) error { return run(a, cmd, args, o, out) })
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&o.DeleteData, "delete-data", false, "delete the PersistentVolumeClaims too, and the data in them")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "only tell what would be deleted")
	cli.BindLock(cmd, &o.Lock)
	return cmd
}

func run(a *cli.App, cmd *cobra.Command, args []string, o *options, out ui.Run) error {
	ctx := cmd.Context()
	s, err := a.Connect(ctx, cmd, "teardown")
	if err != nil {
		return err
	}
	name, onDisk, err := a.FindName(cli.Argument(args, 0), s.Conf)
	if err != nil {
		return err
	}
	o.Namespace, o.App = s.Conf.Namespace, name
	if !onDisk { // a name that nobody knows is a slip, or an app that is gone already
		if known, err := forge.Known(ctx, s.Client, o.Removal); err != nil || !known {
			if err == nil {
				ui.PrintWarning(a.Streams.Err, a.Rename(fmt.Sprintf("there is nothing of %s in namespace %s; norn status lists the apps there are", name, s.Conf.Namespace)))
			}
			return err
		}
	}
	if !o.yes && !o.dryRun {
		data := "the data stays"
		if o.DeleteData {
			data = "with all its data"
		}
		if err := a.Confirm(ctx, "teardown", s.Title("tear down", name), data); err != nil {
			return err
		}
	}
	out.Begin(s.Title("teardown", name))
	if o.dryRun {
		return forge.PlanTeardown(ctx, s.Client, out, o.Removal)
	}
	return forge.Teardown(ctx, s.Client, out, o.Removal)
}
