package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"norn/internal/holder"
	"norn/internal/ui"
	"norn/pkg/deploy"
)

func newDeployCmd(a *app) *cobra.Command {
	o := deploy.Options{}
	var noRollback bool
	cmd := &cobra.Command{
		Use:   "deploy [APP] [REF]",
		Short: "Build a version, ship it, and wait until it runs",
		Long: `Builds the app's image from a commit (REF, or the checkout as it is), pushes it, brings the
app's Secret up to date, sets the image and waits until every new pod is available. A
version that fails is shown with its evidence, and the last good one is restored.`,
		Example: "  norn deploy\n  norn deploy shop v1.4.0\n  norn deploy . --image registry.example.com/shop:1.4.0",
		Args:    cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.connect(cmd.Context(), cmd, "deploy")
			if err != nil {
				return err
			}
			spec, err := a.spec(argument(args, 0), s.conf)
			if err != nil {
				return err
			}
			o.Namespace, o.App = s.conf.Namespace, spec.App
			o.Ref, o.Registry, o.Builder, o.User = argument(args, 1), s.conf.Registry, s.conf.Builder, holder.User()
			o.Redactor = a.redactor
			if noRollback {
				o.KeepFailed = "--no-rollback"
			}
			out := ui.NewRun(a.streams, a.json)
			defer out.Close()
			out.Begin(s.title("deploy", spec.App))
			return deploy.Run(cmd.Context(), s.client, out, spec, o)
		},
	}
	flags := cmd.Flags()
	flags.String("registry", "", "registry to push the image to (NORN_REGISTRY_URL)")
	flags.String("builder", "", "docker, podman, buildah or nerdctl (NORN_BUILDER; default the first there is)")
	flags.StringVar(&o.Image, "image", "", "ship this image; nothing is built or tested")
	flags.BoolVar(&o.SkipTests, "skip-tests", false, "leave build.test out")
	flags.BoolVar(&noRollback, "no-rollback", false, "leave a failed version where it is")
	bindTimeout(cmd, &o.Timeout)
	bindLock(cmd, &o.Lock)
	return cmd
}

func bindTimeout(cmd *cobra.Command, timeout *time.Duration) {
	*timeout = 5 * time.Minute
	cmd.Flags().Var((*positive)(timeout), "timeout", "how long the rollout may take")
}

// positive is a duration flag that takes no zero and nothing negative.
type positive time.Duration

// String implements pflag.Value.
func (p *positive) String() string { return time.Duration(*p).String() }

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
