package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"norn/internal/job"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
)

func newInvokeCmd(a *app) *cobra.Command {
	var body, image string
	cmd := &cobra.Command{
		Use:   "invoke [APP]",
		Short: "Call a function app once",
		Long: `Makes a Job of a function app, with the body in the environment variable NORN_BODY, shows what it prints, and deletes the Job. Its
exit code is norn's. It may take as long as function.timeout says.`,
		Example: "  norn invoke resize --body '{\"width\": 100}'\n  norn invoke resize --body @request.json\n  norn invoke resize --image registry.example.com/resize:1",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runOnce(cmd.Context(), "invoke", func() (*oneOff, error) { return a.invocation(cmd, args, body, image) })
		},
	}
	cmd.Flags().StringVar(&body, "body", "", "what the function is called with; @FILE reads it from a file, @- from standard input")
	cmd.Flags().StringVar(&image, "image", "", "call this image, in place of the one that norn deploy has shipped")
	return cmd
}

// invocation is the Job that calls the function.
func (a *app) invocation(cmd *cobra.Command, args []string, body, image string) (*oneOff, error) {
	s, err := a.connect(cmd.Context(), cmd, "invoke")
	if err != nil {
		return nil, err
	}
	spec, err := a.spec(argument(args, 0), s.conf)
	if err != nil {
		return nil, err
	}
	if spec.Role != infraspec.Function {
		return nil, &usageError{err: fmt.Errorf("%s is no function but a %s; norn run runs a command of it", spec.App, spec.Role)}
	}
	settings := forgeSettings(s.conf, image)
	if image == "" {
		if settings.Image, err = job.FunctionImage(cmd.Context(), s.client, s.conf.Namespace, spec.App); err != nil {
			return nil, err
		}
	}
	text, err := job.Body(body, a.read)
	if err != nil {
		return nil, err
	}
	pod, err := objects.Function(spec, settings, text)
	if err != nil {
		return nil, err
	}
	r := job.Request{Namespace: s.conf.Namespace, App: spec.App, Timeout: spec.Function.Timeout.Duration()}
	return &oneOff{s.title("invoke", spec.App), r, func(ctx context.Context, r job.Request) error { return job.Call(ctx, s.client, r, *pod) }}, nil
}

// read reads a file, or standard input for "-".
func (a *app) read(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(a.streams.In)
	}
	return os.ReadFile(path)
}
