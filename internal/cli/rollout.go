package cli

import (
	"context"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/deploy/rollout"
	"norn/pkg/forge"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// Rollout is a command that replaces an app's Pods with a template that is already in the cluster: restart or
// rollback.
type Rollout struct {
	Flags  RolloutFlags
	Target rollout.Target
	Do     func(context.Context, *k8s.Client, pipeline.Reporter, rollout.Target) error
	Ask    func(context.Context, *Session, rollout.Target) error // asks before anything starts; may be nil
}

// Bind adds the flags of r to cmd.
func (r *Rollout) Bind(cmd *cobra.Command) {
	r.Flags.Bind(cmd)
	BindLock(cmd, &r.Target.Lock)
}

// RunRollout runs r for the app that args name.
func (a *App) RunRollout(cmd *cobra.Command, args []string, r Rollout) error {
	ctx := cmd.Context()
	return a.Steps(ctx, func(out ui.Progress) error {
		s, err := a.Connect(ctx, cmd, Purpose{Action: cmd.Name(), App: Argument(args, 0), Access: Writes})
		if err != nil {
			return err
		}
		t := r.Target
		app, spec, err := a.FindName(Argument(args, 0), s.Conf)
		if err != nil {
			return err
		}
		t.App, t.Repository, t.Environment = app, deploy.Repository(ctx, spec), s.Environment
		t.NoSnapshots = spec != nil && !deploy.Dumps(spec)
		out.Begin(s.Title(cmd.Name(), t.App))
		if err := forge.CheckRollout(ctx, s.Client, s.Conf.Namespace); err != nil {
			return err
		}
		t.Namespace, t.Redactor = s.Conf.Namespace, a.Redactor
		r.Flags.Set(&t, ".")
		if _, err := a.HideLive(ctx, s, t.App); err != nil {
			return err
		}
		if r.Ask != nil {
			if err := r.Ask(ctx, s, t); err != nil {
				return s.CheckSpelling(ctx, t.App, err)
			}
		}
		return s.CheckSpelling(ctx, t.App, r.Do(ctx, s.Client, out, t))
	})
}
