// Command norn puts an app on Kubernetes from its infraspec.yaml. This package binds
// flags, makes one call a command and prints what came of it.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"norn/internal/redact"
	"norn/internal/ui"
	"norn/pkg/infraspec"
)

func main() {
	debug.SetGCPercent(400) // a run is short and small: collecting its garbage early costs a tenth of it
	// A reader that has gone is an error of the write, so that what was begun is cleaned up. To ignore the signal would be inherited by children.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends ctx; giving the signals back then lets a second one end the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], ui.Standard()))
}

// run is one call of norn: it prints and returns the exit code.
func run(ctx context.Context, args []string, s ui.Streams) int {
	redactor := redact.New()
	redactor.Hide("SOPS_AGE_KEY", os.Getenv("SOPS_AGE_KEY"))
	s = ui.Redacted(s, redactor)
	defer func() { ui.Flush(s.Out); ui.Flush(s.Err) }()
	a := &app{streams: s, redactor: redactor, called: calledBy(os.Args[0])}
	root := newRootCmd(a) //nolint:contextcheck // cobra hands the context to its commands
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if misused, ok := errors.AsType[*usageError](err); ok {
		misused.command = nameOf(cmd)
	}
	a.tellEnd(ctx, args, err)
	code := exitCode(ctx, err)
	var invalid infraspec.Errors
	switch {
	case err == nil, is[*differsError](err), errors.Is(err, syscall.EPIPE): // the differences are printed; nobody is there to be told
	case code == exitInterrupted:
		ui.PrintInterrupted(s.Err, err, context.Cause(ctx))
	case errors.As(err, &invalid):
		printInvalid(s.Err, invalid)
	default:
		ui.PrintError(s.Err, a.spoken(err))
	}
	return code
}
