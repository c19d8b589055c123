package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/forge"
)

func newTeardownCmd(a *app) *cobra.Command {
	var what forge.Removal
	var yes, dry bool
	cmd := &cobra.Command{
		Use:   "teardown [APP]",
		Short: "Delete what forge and deploy made; the data stays",
		Long: `Deletes the app's tunnel rule, Service, Deployment or CronJob with its pods, and Secret. PersistentVolumeClaims and the data
in them stay and are named, unless --delete-data. It goes by the cluster's labels, so that an app whose infraspec
is gone can be torn down by its name. It can be run again: what is gone is skipped.`,
		Example: "  norn teardown shop --dry-run\n  norn teardown shop --yes",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.connect(cmd.Context(), cmd, "teardown")
			if err != nil {
				return err
			}
			name, onDisk, err := a.nameOf(argument(args, 0), s.conf)
			if err != nil {
				return err
			}
			what.Namespace, what.App = s.conf.Namespace, name
			if !onDisk { // a name that nobody knows is a slip, or an app that is gone already
				if known, err := forge.Known(cmd.Context(), s.client, what); err != nil || !known {
					if err == nil {
						ui.PrintWarning(a.streams.Err, a.say(fmt.Sprintf("there is nothing of %s in namespace %s; norn status lists the apps there are", name, s.conf.Namespace)))
					}
					return err
				}
			}
			if !yes && !dry {
				data := "the data stays"
				if what.DeleteData {
					data = "with all its data"
				}
				if err := a.confirm(cmd.Context(), "teardown", s.title("tear down", name), data); err != nil {
					return err
				}
			}
			out := ui.NewRun(a.streams, a.json)
			defer out.Close()
			out.Begin(s.title("teardown", name))
			if dry {
				return forge.PlanTeardown(cmd.Context(), s.client, out, what)
			}
			return forge.Teardown(cmd.Context(), s.client, out, what)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&what.DeleteData, "delete-data", false, "delete the PersistentVolumeClaims too, and the data in them")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only tell what would be deleted")
	bindLock(cmd, &what.Lock)
	return cmd
}
