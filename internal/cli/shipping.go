package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/lease"
)

// Shipping is a command that ships a version of an app: deploy or promote.
type Shipping struct {
	deploy.Options
	Rollout    RolloutFlags
	DryRun     bool
	NoRollback bool
	// RequireReachable makes the command fail if the app's public hosts do not answer.
	RequireReachable bool
}

// Bind adds the flags that both commands have.
func (o *Shipping) Bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&o.SkipSnapshot, "skip-snapshot", false, "skip the database snapshot before a migration")
	flags.BoolVar(&o.DryRun, "dry-run", false, "show what each step would do, and change nothing")
	flags.BoolVar(&o.NoRollback, "no-rollback", false, "keep a failed version instead of restoring the previous one")
	BindStrict(cmd, &o.Strict)
	flags.BoolVar(&o.RequireReachable, "require-reachable", false, "fail if a public host does not answer in the end")
	o.Rollout.Bind(cmd)
	BindLock(cmd, &o.Lock)
	BindConfirmed(cmd)
}

// Ship runs do, and then prints how to reach the app that it has returned.
func (a *App) Ship(cmd *cobra.Command, o *Shipping, do func(ui.Progress) (*infraspec.Spec, error)) error {
	var spec *infraspec.Spec
	err := a.Steps(cmd.Context(), func(out ui.Progress) (err error) {
		spec, err = do(out)
		return err
	})
	if err == nil && !o.DryRun {
		a.PrintAfter(endpoints(spec, o.Namespace))
	}
	return err
}

// Prepare sets the options that follow from the settings and the infraspec.
func (o *Shipping) Prepare(ctx context.Context, a *App, s *Session, spec *infraspec.Spec) (err error) {
	o.Environment, o.Namespace, o.App, o.User = s.Environment, s.Conf.Namespace, spec.App, lease.CurrentUser()
	o.Registry, o.Builder, o.GitToken, o.GitKey = s.Conf.Registry, s.Conf.Builder, s.Conf.GitToken, s.Conf.GitKey
	if o.Settings, err = ForgeSettings(ctx, s.Client, s.Conf, ""); err != nil {
		return err
	}
	o.Database, o.Tunnel, o.HostPaths = DatabaseSettings(s.Conf), s.Conf.Tunnel, s.Conf.HostPaths
	o.Redactor = a.Redactor
	a.Redactor.Hide("NORN_GIT_TOKEN", o.GitToken)
	o.Rollout.Set(&o.Target, filepath.Dir(spec.Path()))
	if o.NoRollback {
		o.KeepFailed = "--no-rollback"
	}
	a.WarnLocalDatabase(spec, s.Conf)
	return nil
}

// Run ships the version, or shows what each step would do. In the end it checks whether the public hosts answer. It
// returns the infraspec of the version.
func (o *Shipping) Run(
	ctx context.Context, s *Session, out ui.Progress, spec *infraspec.Spec,
) (*infraspec.Spec, error) {
	ship := deploy.Run
	if o.DryRun {
		ship = deploy.Plan
	}
	shipped, err := ship(ctx, s.Client, out, spec, o.Options)
	if err != nil {
		return nil, err
	}
	return shipped, o.checkReachable(ctx, s, out, shipped)
}
