// Package render implements norn render.
package render

import (
	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/forge/objects"
)

// New returns norn render.
func New(a *cli.App) *cobra.Command {
	var image string
	cmd := &cobra.Command{
		Use:   "render [APP]",
		Short: "Print the app's Kubernetes manifests, without a cluster",
		Long: `Prints the objects of a new app as YAML documents, as norn sends them to the API server. The same
infraspec always gives the same output. Secret values are placeholders: applying the output would
write the placeholders to the cluster. norn does not contact a cluster.`,
		Example: "  norn render\n  norn render shop | kubectl apply --dry-run=server -f -",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := a.Choose(cmd, cli.Purpose{App: cli.Argument(args, 0), Access: cli.Compares})
			if err != nil {
				return err
			}
			spec, err := a.Spec(cli.Argument(args, 0), conf)
			if err != nil {
				return err
			}
			settings, err := cli.ForgeSettings(cmd.Context(), nil, conf, image)
			if err != nil {
				return err
			}
			objects, err := objects.All(spec, settings)
			if err != nil {
				return err
			}
			if len(objects) == 0 {
				ui.PrintWarning(a.Streams.Err, spec.App+" is a function: it has no objects in the cluster between calls")
			}
			return printObjects(a, objects)
		},
	}
	cmd.Flags().StringVar(&image, "image", "", "image that the app starts with, instead of waiting for its first deploy")
	return cmd
}

func printObjects(a *cli.App, all []objects.Object) error {
	if a.JSON {
		var applied []any
		for _, o := range all {
			applied = append(applied, o.Apply)
		}
		return a.Encode(applied...)
	}
	text, err := objects.Manifests(all)
	if err != nil {
		return err
	}
	return ui.PrintData(a.Streams.Out, text)
}
