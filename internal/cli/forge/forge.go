// Package forge implements norn forge.
package forge

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/cli/diff"
	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/deploy/rollout"
	"norn/pkg/forge"
)

// options are the flags of norn forge.
type options struct {
	forge.Options
	rollout cli.RolloutFlags
	dryRun  bool
}

// New returns norn forge.
func New(a *cli.App) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "forge [APP]",
		Short: "Create or update the app's objects in the cluster",
		Long: `Makes the cluster match the infraspec: PersistentVolumeClaims, Deployment or CronJob, Service,
PodDisruptionBudget, and the public route: an HTTPRoute, an Ingress, or the app's rule in the Cloudflare
tunnel. Objects that the infraspec no longer names are deleted; data is kept.

A second run changes nothing, and an interrupted run can be repeated. A new app is paused until its
first deploy. norn forge never reverts the image that a deploy has set.

If a change replaces Pods, norn waits until the new Pods are available. If they fail, norn restores the
previous version, like norn deploy. The Service and the public route change last. norn waits for the
route's controller as long as --timeout allows; if it refuses the route, the command fails, and the new
version stays.`,
		Example: "  norn forge\n  norn forge shop --dry-run\n  norn forge shop --adopt --namespace staging",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.dryRun {
				_, err := diff.Run(a, cmd, args, o.Options)
				return err
			}
			return a.Steps(cmd.Context(), func(out ui.Progress) error { return run(a, cmd, args, o, out) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Image, "image", "", "image that a new app starts with, before its first deploy")
	flags.BoolVar(&o.Adopt, "adopt", false, "take over existing objects with the same names, and another repository's app")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would change, like norn diff, and change nothing")
	flags.BoolVar(&o.NoWait, "no-wait", false, "do not wait for new Pods or the route, and restore nothing")
	cli.BindStrict(cmd, &o.Strict)
	o.rollout.Bind(cmd)
	cli.BindLock(cmd, &o.Lock)
	cli.BindConfirmed(cmd)
	a.BindAll(cmd)
	return cmd
}

func run(a *cli.App, cmd *cobra.Command, args []string, o *options, out ui.Progress) error {
	s, err := a.Connect(cmd.Context(), cmd, cli.Purpose{
		Action: "forge", App: cli.Argument(args, 0), Access: cli.Writes,
	})
	if err != nil {
		return err
	}
	spec, err := a.Spec(cli.Argument(args, 0), s.Conf)
	if err != nil {
		return err
	}
	if o.Settings, err = cli.ForgeSettings(cmd.Context(), s.Client, s.Conf, o.Image); err != nil {
		return err
	}
	o.Tunnel = s.Conf.Tunnel
	o.NextImage = deploy.NextImage(s.Conf.Registry, spec.BaseApp())
	a.WarnLocalDatabase(spec, s.Conf)
	out.Begin(s.Title("forge", spec.App))
	t := rollout.Target{
		Namespace: s.Conf.Namespace, App: spec.App, Environment: s.Environment, Spec: spec, Lock: o.Lock,
		Redactor: a.Redactor,
	}
	o.rollout.Set(&t, filepath.Dir(spec.Path()))
	if _, err := a.HideLive(cmd.Context(), s, spec.App); err != nil {
		return err
	}
	return deploy.Forge(cmd.Context(), s.Client, out, t, o.Options)
}
