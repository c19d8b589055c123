package root

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/infraspec"
)

// Run runs norn with args, which begin with the program's path. It prints results and errors, and returns the exit
// code.
func Run(ctx context.Context, args []string, s ui.Streams) int {
	path, args := args[0], args[1:]
	a := cli.NewApp(path, s)
	defer func() { ui.Flush(a.Streams.Err) }()
	root := New(a) //nolint:contextcheck // cobra hands the context to its commands
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return cli.FlagErrorFor(cmd, args, err) })
	cmd, err := root.ExecuteContextC(ctx)
	if misused, ok := errors.AsType[*cli.UsageError](err); ok {
		misused.Command = cli.CommandName(cmd)
	}
	if a.JSON || asksJSON(args) {
		a.PrintEnd(ctx, err)
	}
	ui.Flush(a.Streams.Out)
	err = a.WithOutputError(err)
	code := cli.Outcome(ctx, err).Code
	_, differs := errors.AsType[*cli.DiffersError](err)
	_, declined := errors.AsType[*cli.DeclinedError](err)
	var invalid infraspec.Errors
	switch {
	case err == nil, differs, cli.ReaderGone(err): // already printed, or the reader is gone
	case code == cli.ExitInterrupted:
		ui.PrintInterrupted(a.Streams.Err, err, context.Cause(ctx))
	case declined:
		_ = ui.PrintText(a.Streams.Err, err.Error())
	case errors.As(err, &invalid):
		cli.PrintInvalid(a.Streams.Err, invalid)
	default:
		ui.PrintError(a.Streams.Err, a.Renamed(err))
	}
	return code
}
