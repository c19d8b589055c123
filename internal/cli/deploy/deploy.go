// Package deploy implements norn deploy.
package deploy

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/infraspec"
)

// options are the flags of norn deploy.
type options struct {
	cli.Shipping
	forge     bool
	continues bool
}

// New returns norn deploy.
func New(a *cli.App) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "deploy [APP] [REF]",
		Short: "Build a version, deploy it, and wait until it runs",
		Long: `Deploys a commit: its code and its infraspec, in one rollout. The first deploy creates the app's objects.

Builds the app's image from REF, or from the checkout as it is. If the infraspec sets repo.url, builds REF
or repo.branch of that repository instead. Pushes the image, or loads it into a local cluster. Then runs
the tests, dumps and migrates the database, and updates the app's Secret. If the infraspec has verify, runs
it against one Pod of the new version that gets no requests. Finally updates the app's objects and the
image, and waits until every new Pod is available. The Service and the public route change last.

If the version does not come up, norn reports the cause within seconds, shows the container's last
log lines and restores the version that ran before. If anything fails before the rollout, the running
version keeps running.

With --canary, the rollout begins with a few Pods of the new version. They get requests beside the old
ones, and none of the old ones ends. With --for, norn watches them for that time, and runs verify again
and again if the infraspec has it. If a Pod fails or restarts, norn restores the version that ran before,
otherwise it completes the rollout. Without --for, the Pods stay until norn deploy --continue or norn
rollback.`,
		Example: `  norn deploy
  norn deploy shop v1.4.0
  norn deploy . --image registry.example.com/shop:1.4.0
  norn deploy shop --dry-run              # show what each step would do
  norn deploy --version-only              # change the image and the Secret
  norn deploy --canary=25% --for 5m       # first a quarter of the Pods
  norn deploy --save-failure              # in CI: keep the evidence`,
		Args: cli.AtMost(2, "deploy one app at a time, or all with --all"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.Ship(cmd, &o.Shipping, func(out ui.Progress) (*infraspec.Spec, error) {
				return run(a, cmd, args, o, out)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Image, "image", "", "existing image to deploy, without building or testing")
	flags.BoolVar(&o.Checkout, "checkout", false, "deploy the local checkout even if the infraspec sets repo.url")
	flags.BoolVar(&o.SkipTests, "skip-tests", false, "skip build.test")
	flags.BoolVar(&o.VersionOnly, "version-only", false, "change only the image and the Secret, not the app's objects")
	flags.BoolVar(&o.forge, "forge", true, "apply the infraspec (the default)")
	_ = flags.MarkHidden("forge") // older scripts still pass it
	flags.BoolVar(&o.Force, "force", false, "migrate and replace the Pods even if nothing changed")
	flags.StringVar(&o.Canary.Pods, "canary", "", "number of Pods, or percentage of all, to begin with")
	flags.Lookup("canary").NoOptDefVal = "1"
	flags.DurationVar(&o.Canary.For, "for", 0, "how long to watch the canary before the rollout continues")
	flags.BoolVar(&o.continues, "continue", false, "ship the version of a canary to all Pods")
	cli.BindBuild(cmd)
	o.Bind(cmd)
	a.BindAll(cmd)
	return cmd
}

// refAloneError reports that the only argument does not name an app. It may be a ref.
type refAloneError struct{ err *infraspec.NotFoundError }

func (e *refAloneError) Error() string { return e.err.Error() }
func (e *refAloneError) Unwrap() error { return e.err }

// Hint returns how to name an app, and how to pass a ref.
func (e *refAloneError) Hint() string {
	return fmt.Sprintf("%s; to deploy a ref, name the app first: norn deploy . %s", e.err.Hint(), e.err.Name)
}

func run(a *cli.App, cmd *cobra.Command, args []string, o *options, out ui.Progress) (*infraspec.Spec, error) {
	ctx := cmd.Context()
	s, err := a.Connect(ctx, cmd, cli.Purpose{Action: "deploy", App: cli.Argument(args, 0), Access: cli.Writes})
	if err != nil {
		return nil, err
	}
	spec, err := a.Spec(cli.Argument(args, 0), s.Conf)
	if missing, ok := errors.AsType[*infraspec.NotFoundError](err); ok && len(args) == 1 && missing.Name != "" {
		return nil, &refAloneError{missing}
	}
	if err != nil {
		return nil, err
	}
	o.Ref, o.VersionOnly = cli.Argument(args, 1), o.VersionOnly || !o.forge
	if err := o.checkCanary(cmd); err != nil {
		return nil, err
	}
	if o.Image != "" && o.Ref != "" {
		return nil, cli.Usagef("a ref and --image cannot be combined; use one of the two")
	}
	if err := o.Prepare(ctx, a, s, spec); err != nil {
		return nil, err
	}
	out.Begin(s.Title("deploy", spec.App))
	if o.continues {
		if err := o.Continue(ctx, s.Client, out); err != nil {
			return nil, err
		}
	}
	return o.Run(ctx, s, out, spec)
}

// checkCanary returns an error for flags of a canary that contradict each other.
func (o *options) checkCanary(cmd *cobra.Command) error {
	chosen := o.Image != "" || o.Ref != "" || o.Canary.Pods != "" || o.Force || cmd.Flags().Changed("for")
	switch {
	case o.continues && chosen:
		return cli.Usagef("--continue ships the version of the canary; " +
			"it cannot be combined with a ref, --image, --canary, --for or --force")
	case cmd.Flags().Changed("canary") && o.Canary.Pods == "":
		return cli.Usagef("--canary needs a number of Pods, or a percentage of them such as 25%%")
	case cmd.Flags().Changed("for") && o.Canary.Pods == "":
		return cli.Usagef("--for is the time of a canary; pass --canary too")
	case o.Canary.For < 0:
		return cli.Usagef("--for %s is not a time; pass one such as 2m", o.Canary.For)
	case o.Canary.Pods != "" && o.Force:
		return cli.Usagef("--canary and --force cannot be combined, because --force replaces all Pods")
	}
	return nil
}
