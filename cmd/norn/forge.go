package main

import (
	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/forge"
)

func newForgeCmd(a *app) *cobra.Command {
	var o forge.Options
	var dry bool
	cmd := &cobra.Command{
		Use:   "forge [APP]",
		Short: "Create or converge the app's objects in the cluster",
		Long: `Brings the cluster to what the infraspec says: PersistentVolumeClaims, Deployment or CronJob, Service, and the tunnel's
rule. What the file no longer names is removed; data is kept. Run again it changes nothing that is right
already, and killed anywhere it can be run again. A new app is paused until its first deploy, and the image that a
deploy has set is never reverted.`,
		Example: "  norn forge\n  norn forge shop --dry-run\n  norn forge shop --adopt --namespace staging",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dry {
				_, err := a.plan(cmd, args, o)
				return err
			}
			return a.steps(cmd.Context(), func(out ui.Progress) error {
				s, err := a.connect(cmd.Context(), cmd, "forge")
				if err != nil {
					return err
				}
				spec, err := a.spec(argument(args, 0), s.conf)
				if err != nil {
					return err
				}
				o.Settings, o.Tunnel = forgeSettings(s.conf, o.Image), s.conf.Tunnel
				out.Begin(s.title("forge", spec.App))
				return forge.Run(cmd.Context(), s.client, out, spec, o)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Image, "image", "", "start a new app with this image at once")
	flags.BoolVar(&o.Adopt, "adopt", false, "take over objects of these names that are not norn's")
	flags.BoolVar(&dry, "dry-run", false, "ask the API server what would change, and change nothing, as norn diff does")
	bindLock(cmd, &o.Lock)
	return cmd
}
