package main

import (
	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/forge"
)

func newForgeCmd(a *app) *cobra.Command {
	var image string
	cmd := &cobra.Command{
		Use:   "forge [APP]",
		Short: "Create or converge the app's objects in the cluster",
		Long: `Brings the cluster to what the infraspec says: PersistentVolumeClaims, Deployment and
Service. Run again it changes nothing that is right already. A new Deployment is paused until
its first deploy, and the image that a deploy has set is never reverted.`,
		Example: "  norn forge\n  norn forge shop --namespace staging",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.connect(cmd.Context(), cmd, "forge")
			if err != nil {
				return err
			}
			spec, err := a.spec(argument(args, 0), s.conf)
			if err != nil {
				return err
			}
			out := ui.NewRun(a.streams, a.json)
			defer out.Close()
			out.Begin(s.title("forge", spec.App))
			settings := forgeSettings(s.conf)
			settings.Image = image
			return forge.Run(cmd.Context(), s.client, out, spec, settings)
		},
	}
	cmd.Flags().StringVar(&image, "image", "", "start a new app with this image at once")
	return cmd
}
