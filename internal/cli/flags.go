package cli

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s/lease"
	k8srollout "norn/pkg/k8s/rollout"
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
		t.Failures = filepath.Join(dir, rollout.FailuresFolder)
	}
}

// defaultLockTimeout is slightly longer than a dead holder's lock remains valid: if norn was killed, running the same
// command again works.
const defaultLockTimeout = 45 * time.Second

// BindLock adds --lock-timeout to cmd.
func BindLock(cmd *cobra.Command, lock *lease.Request) {
	lock.Wait = defaultLockTimeout
	cmd.Flags().DurationVar(&lock.Wait, "lock-timeout", lock.Wait, "time to wait while another run holds the app's lock")
	lock.Holder = lease.ThisProcess("norn " + cmd.Name())
}

// BindStrict adds --strict to cmd.
func BindStrict(cmd *cobra.Command, strict *bool) {
	cmd.Flags().BoolVar(strict, "strict", false, "fail if nothing routes hosts.external, instead of a warning")
}

// BindBuild adds --registry and --builder to cmd. Config reads their values.
func BindBuild(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.String("registry", "", "registry to push images to (NORN_REGISTRY_URL)")
	flags.String("builder", "", "docker, podman, buildah or nerdctl (NORN_BUILDER; default: the first one installed)")
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
