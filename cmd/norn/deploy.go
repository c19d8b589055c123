package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"norn/internal/config"
	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/deploy/database"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/lease"
)

// deployFlags are deploy's.
type deployFlags struct {
	deploy.Options
	rollout         rolloutFlags
	dry, noRollback bool
}

func newDeployCmd(a *app) *cobra.Command {
	o := &deployFlags{}
	cmd := &cobra.Command{
		Use:   "deploy [APP] [REF]",
		Short: "Build a version, ship it, and wait until it runs",
		Long: `Builds the app's image from a commit (REF, or the checkout as it is; with repo.url, REF or its branch there), pushes it or
loads it into a cluster on this machine, runs the tests, dumps the database and migrates it, brings the app's Secret up to date,
sets the image and waits until every new pod is available.

A version that does not come up is known within seconds: norn says why, shows the container's last
log lines, and brings the last good version back. A run that fails before its rollout leaves the version that runs alone.`,
		Example: `  norn deploy
  norn deploy shop v1.4.0
  norn deploy . --image registry.example.com/shop:1.4.0
  norn deploy shop --dry-run              # only say what each step would do
  norn deploy --forge --save-failure      # in CI: the objects too, and evidence`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.steps(cmd.Context(), func(out ui.Progress) error { return a.deploy(cmd, args, o, out) })
		},
	}
	flags := cmd.Flags()
	flags.String("registry", "", "registry to push the image to (NORN_REGISTRY_URL)")
	flags.String("builder", "", "docker, podman, buildah or nerdctl (NORN_BUILDER; default the first there is)")
	flags.StringVar(&o.Image, "image", "", "ship this image; nothing is built or tested")
	flags.BoolVar(&o.Checkout, "checkout", false, "ship the checkout, though the infraspec has a repo.url")
	flags.BoolVar(&o.SkipTests, "skip-tests", false, "leave build.test out")
	flags.BoolVar(&o.SkipSnapshot, "skip-snapshot", false, "leave the database's dump before a migration out")
	flags.BoolVar(&o.Forge, "forge", false, "bring the app's objects to what the infraspec says, in the same rollout")
	flags.BoolVar(&o.Force, "force", false, "migrate and replace the pods also where nothing has changed")
	flags.BoolVar(&o.dry, "dry-run", false, "only say what each step would do")
	flags.BoolVar(&o.noRollback, "no-rollback", false, "leave a failed version where it is")
	o.rollout.bind(cmd)
	bindLock(cmd, &o.Lock)
	return cmd
}

// aloneError is an argument that names no app; it may have been meant as a ref.
type aloneError struct{ err *infraspec.NotFoundError }

func (e *aloneError) Error() string { return e.err.Error() }
func (e *aloneError) Unwrap() error { return e.err }

// Hint is the missing app's, and how a ref is given.
func (e *aloneError) Hint() string {
	return fmt.Sprintf("%s; a ref stands behind the app: norn deploy . %s", e.err.Hint(), e.err.Name)
}

func (a *app) deploy(cmd *cobra.Command, args []string, o *deployFlags, out ui.Progress) error {
	ctx := cmd.Context()
	s, err := a.connect(ctx, cmd, "deploy")
	if err != nil {
		return err
	}
	spec, err := a.spec(argument(args, 0), s.conf)
	if missing, ok := errors.AsType[*infraspec.NotFoundError](err); ok && len(args) == 1 && missing.Name != "" {
		return &aloneError{missing}
	}
	if err != nil {
		return err
	}
	o.Namespace, o.App, o.Ref, o.User = s.conf.Namespace, spec.App, argument(args, 1), lease.CurrentUser()
	o.Registry, o.Builder, o.GitToken, o.GitKey = s.conf.Registry, s.conf.Builder, s.conf.GitToken, s.conf.GitKey
	o.Settings, o.Database, o.Tunnel = forgeSettings(s.conf, ""), databaseSettings(s.conf), s.conf.Tunnel
	o.Redactor = a.redactor
	a.redactor.Hide("NORN_GIT_TOKEN", o.GitToken)
	o.rollout.set(&o.Target, filepath.Dir(spec.Path()))
	if o.noRollback {
		o.KeepFailed = "--no-rollback"
	}
	out.Begin(s.title("deploy", spec.App))
	if o.dry {
		return deploy.Plan(ctx, s.client, out, spec, o.Options)
	}
	return deploy.Run(ctx, s.client, out, spec, o.Options)
}

func databaseSettings(conf *config.Config) database.Settings {
	return database.Settings{LocalHost: conf.PGLocal, Host: conf.PGHost, User: conf.PGUser}
}
