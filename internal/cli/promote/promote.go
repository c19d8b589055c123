// Package promote implements norn promote.
package promote

import (
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/infraspec"
)

// options are the flags of norn promote.
type options struct {
	cli.Shipping
	from, to, fromContext string
}

// New returns norn promote.
func New(a *cli.App) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "promote [APP] --from ENVIRONMENT --to ENVIRONMENT",
		Short: "Deploy the version of one environment to another",
		Long: `Deploys the version that an environment runs to another environment: the same image, by its digest, with
the infraspec and the secrets of its commit. Builds, pushes and tests nothing. Migrations run as in
every deploy, and a version that does not come up is taken back.

The version must be verified: norn saw its rollout succeed. Uncommitted changes cannot be promoted. If
the environments are in clusters with different contexts, --context chooses the one to deploy to, and
--from-context the other.`,
		Example: `  norn promote --from staging --to production
  norn promote shop --from staging --to production --dry-run
  norn promote --from staging --from-context dev --to production --context prod`,
		Args: cli.AtMost(1, "pass the environments with --from and --to"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.choose(cmd); err != nil {
				return err
			}
			return a.Ship(cmd, &o.Shipping, func(out ui.Progress) (*infraspec.Spec, error) {
				return run(a, cmd, args, o, out)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", "", "environment that runs the version")
	flags.StringVar(&o.to, "to", "", "environment to deploy to")
	flags.StringVar(&o.fromContext, "from-context", "", "kubeconfig context for --from (default: that of --to)")
	o.Bind(cmd)
	return cmd
}

// choose makes --to the chosen environment. Another one from NORN_ENV does not matter.
func (o *options) choose(cmd *cobra.Command) error {
	env := cmd.Flags().Lookup("env")
	switch {
	case o.from == "" || o.to == "":
		return cli.Usagef("--from and --to are needed, such as norn promote --from staging --to production")
	case o.from == o.to:
		return cli.Usagef("--from and --to are both %s", o.to)
	case env.Changed && env.Value.String() != o.to:
		return cli.Usagef("--env %s is not --to %s; omit --env", env.Value, o.to)
	}
	return cmd.Flags().Set(env.Name, o.to)
}

func run(a *cli.App, cmd *cobra.Command, args []string, o *options, out ui.Progress) (*infraspec.Spec, error) {
	ctx, arg := cmd.Context(), cli.Argument(args, 0)
	s, err := a.Connect(ctx, cmd, cli.Purpose{Action: "promote", App: arg, Access: cli.Writes})
	if err != nil {
		return nil, err
	}
	spec, err := a.Spec(arg, s.Conf)
	if err != nil {
		return nil, err
	}
	from, err := origin(a, cmd, spec, o)
	if err != nil {
		return nil, err
	}
	if err := o.Prepare(ctx, a, s, spec); err != nil {
		return nil, err
	}
	out.Begin(s.Title("promote", spec.App))
	if err := o.Promote(ctx, s.Client, out, from); err != nil {
		return nil, err
	}
	return o.Run(ctx, s, out, spec)
}

// origin connects to the environment that runs the version.
func origin(a *cli.App, cmd *cobra.Command, spec *infraspec.Spec, o *options) (deploy.Origin, error) {
	s, err := a.Elsewhere(cmd, spec, o.from, o.fromContext)
	if err != nil {
		return deploy.Origin{}, err
	}
	there, err := spec.In(o.from)
	if err != nil {
		return deploy.Origin{}, err
	}
	where := fmt.Sprintf("environment %s: namespace %s of %s", o.from, s.Conf.Namespace, s.Client.Context)
	from := deploy.Origin{Cluster: s.Client, Where: where}
	from.Namespace, from.App, from.Spec, from.Environment = s.Conf.Namespace, there.App, there, o.from
	from.Repository = deploy.Repository(cmd.Context(), spec)
	return from, nil
}
