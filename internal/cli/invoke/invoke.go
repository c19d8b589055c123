// Package invoke implements norn invoke.
package invoke

import (
	"context"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/job"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/platform"
)

// options are the flags of norn invoke.
type options struct{ body, image string }

// New returns norn invoke.
func New(a *cli.App) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "invoke [APP]",
		Short: "Call a function app once",
		Long: `Runs the function once, as a Job, with the body in the environment variable NORN_BODY. Prints the Job's
output, deletes the Job, and exits with the function's exit code. function.timeout limits the time.

For functions of the original norn, the request is also in NORN_REQUEST_BODY, NORN_REQUEST_METHOD and
NORN_REQUEST_PATH.`,
		Example: `  norn invoke resize --body '{"width": 100}'
  norn invoke resize --body @request.json
  norn invoke resize --image registry.example.com/resize:1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.RunOnce(cmd.Context(), "invoke", func() (*cli.OneOff, error) {
				return invocation(a, cmd, args, o)
			})
		},
	}
	cli.BindConfirmed(cmd)
	cmd.Flags().StringVar(&o.body, "body", "", "request body; @FILE reads it from a file, @- from standard input")
	cmd.Flags().StringVar(&o.image, "image", "", "image to call instead of the deployed one")
	return cmd
}

// invocation returns the Job that calls the function.
func invocation(a *cli.App, cmd *cobra.Command, args []string, o *options) (*cli.OneOff, error) {
	s, err := a.Connect(cmd.Context(), cmd, cli.Purpose{
		Action: "invoke", App: cli.Argument(args, 0), Access: cli.Writes,
	})
	if err != nil {
		return nil, err
	}
	spec, err := a.Spec(cli.Argument(args, 0), s.Conf)
	if err != nil {
		return nil, err
	}
	if spec.Role == infraspec.Cron {
		return nil, cli.Usagef("%s is a cron app, not a function; to run its command now, run %s", spec.App,
			cli.RunNow(spec.App))
	}
	if spec.Role != infraspec.Function {
		return nil, cli.Usagef("%s is a %s, not a function; norn run runs a command in it", spec.App, spec.Role)
	}
	settings, err := cli.ForgeSettings(cmd.Context(), s.Client, s.Conf, o.image)
	if err != nil {
		return nil, err
	}
	var platforms []string
	if o.image == "" {
		settings.Image, platforms, err = job.FunctionVersion(
			cmd.Context(), s.Client, s.Conf.Namespace, spec.App, spec.Environment)
		if err != nil {
			return nil, err
		}
	}
	text, err := job.Body(o.body, func(path string) ([]byte, error) { return a.ReadFile(cmd.Context(), path) })
	if err != nil {
		return nil, err
	}
	pod, err := objects.Function(spec, settings, text)
	if err != nil {
		return nil, err
	}
	platform.Require(pod, platforms)
	r := job.Request{Namespace: s.Conf.Namespace, App: spec.App, Timeout: spec.Function.Timeout.Duration()}
	if r.Labels, r.Annotations, err = objects.JobMeta(spec); err != nil {
		return nil, err
	}
	call := func(ctx context.Context, r job.Request) error { return job.Call(ctx, s.Client, r, *pod) }
	return &cli.OneOff{Title: s.Title("invoke", spec.App), Request: r, Call: call}, nil
}
