package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	k8srollout "norn/pkg/k8s/rollout"
)

// rolloutFlags are those of every command that waits for a rollout.
type rolloutFlags struct {
	timeout  positive
	restarts uint
	save     bool
}

func (f *rolloutFlags) bind(cmd *cobra.Command) {
	f.timeout = positive(5 * time.Minute)
	flags := cmd.Flags()
	flags.Var(&f.timeout, "timeout", "how long the rollout may take")
	flags.UintVar(&f.restarts, "allow-restarts", k8srollout.DefaultAllowedRestarts, "how often a new container may end and be started again")
	flags.BoolVar(&f.save, "save-failure", false, "write a failed rollout's evidence into .norn/failures")
}

// set puts the flags' values into a target whose infraspec, if it has one, is in dir.
func (f *rolloutFlags) set(t *rollout.Target, dir string) {
	t.Timeout, t.AllowRestarts = time.Duration(f.timeout), int(f.restarts) //nolint:gosec // a count of restarts fits an int
	if f.save {
		t.Failures = filepath.Join(dir, ".norn", "failures")
	}
}

// rollOver does what replaces an app's pods by a template that is in the cluster: to restart, or to roll back.
func (a *app) rollOver(cmd *cobra.Command, args []string, f rolloutFlags, t rollout.Target, do func(context.Context, *k8s.Client, ui.Progress, rollout.Target) error) error {
	ctx := cmd.Context()
	return a.steps(ctx, func(out ui.Progress) error {
		s, err := a.connect(ctx, cmd, cmd.Name())
		if err != nil {
			return err
		}
		if t.App, err = a.name(argument(args, 0), s.conf); err != nil {
			return err
		}
		t.Namespace, t.Redactor = s.conf.Namespace, a.redactor
		f.set(&t, ".")
		a.hideLive(ctx, s, t.App)
		out.Begin(s.title(cmd.Name(), t.App))
		return do(ctx, s.client, out, t)
	})
}

// positive is a duration flag that takes no zero and nothing negative.
type positive time.Duration

// String implements pflag.Value.
func (p *positive) String() string {
	if *p == 0 { // no default
		return ""
	}
	return time.Duration(*p).String()
}

// Type implements pflag.Value.
func (p *positive) Type() string { return "duration" }

// Set implements pflag.Value.
func (p *positive) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is not a duration such as 30s or 5m", text)
	}
	*p = positive(d)
	return nil
}
