package cli

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// RolloutFlags are the flags of every command that waits for a rollout.
type RolloutFlags struct {
	timeout       Duration
	allowRestarts uint
	saveFailure   bool
}

// Bind adds the flags to cmd.
func (f *RolloutFlags) Bind(cmd *cobra.Command) {
	f.timeout = Duration(5 * time.Minute)
	flags := cmd.Flags()
	flags.Var(&f.timeout, "timeout", "time limit for the rollout")
	flags.UintVar(&f.allowRestarts, "allow-restarts", k8srollout.DefaultAllowedRestarts,
		"number of restarts allowed for a new container")
	flags.BoolVar(&f.saveFailure, "save-failure", false, "write the evidence of a failed rollout to .norn/failures")
}

// Set copies the flags to t. Evidence of a failure goes to a folder in dir.
func (f *RolloutFlags) Set(t *rollout.Target, dir string) {
	t.Timeout, t.AllowRestarts = time.Duration(f.timeout), int(f.allowRestarts) //nolint:gosec // fits an int
	if f.saveFailure {
		t.Failures = filepath.Join(dir, ".norn", "failures")
	}
}

// Rollout is a command that replaces an app's Pods, using a template that is already in the cluster: restart and
// rollback.
type Rollout struct {
	Flags  RolloutFlags
	Target rollout.Target
	Do     func(context.Context, *k8s.Client, pipeline.Reporter, rollout.Target) error
}

// Bind adds the flags of r to cmd.
func (r *Rollout) Bind(cmd *cobra.Command) {
	r.Flags.Bind(cmd)
	BindLock(cmd, &r.Target.Lock)
}

// RunRollout runs r for the app that args name.
func (a *App) RunRollout(cmd *cobra.Command, args []string, r Rollout) error {
	ctx := cmd.Context()
	return a.Steps(ctx, func(out ui.Run) error {
		s, err := a.Connect(ctx, cmd, cmd.Name())
		if err != nil {
			return err
		}
		t := r.Target
		if t.App, err = a.Name(Argument(args, 0), s.Conf); err != nil {
			return err
		}
		t.Namespace, t.Redactor = s.Conf.Namespace, a.Redactor
		r.Flags.Set(&t, ".")
		a.HideLive(ctx, s, t.App)
		out.Begin(s.Title(cmd.Name(), t.App))
		return r.Do(ctx, s.Client, out, t)
	})
}

// defaultLockTimeout is slightly longer than the lock of a dead holder lasts: after a kill, the same command simply
// waits.
const defaultLockTimeout = 45 * time.Second

// BindLock adds --lock-timeout to cmd.
func BindLock(cmd *cobra.Command, lock *lease.Request) {
	lock.Wait = defaultLockTimeout
	cmd.Flags().DurationVar(&lock.Wait, "lock-timeout", lock.Wait, "time to wait while another run holds the app's lock")
	lock.Holder = lease.ThisProcess("norn " + cmd.Name())
}

// Duration is the value of a flag that takes a duration above zero.
type Duration time.Duration

// String implements pflag.Value.
func (d *Duration) String() string {
	if *d == 0 { // no default
		return ""
	}
	return time.Duration(*d).String()
}

// Type implements pflag.Value.
func (d *Duration) Type() string { return "duration" }

// Set implements pflag.Value.
func (d *Duration) Set(text string) error {
	value, err := time.ParseDuration(text)
	if err != nil || value <= 0 {
		return errors.New("must be a duration above zero, such as 30s or 5m")
	}
	*d = Duration(value)
	return nil
}
