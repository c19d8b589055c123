// Package cli is the norn command: it binds flags, makes one call a command and prints what came of it.
package cli

import (
	"context"
	"errors"
	"os"
	"syscall"

	"norn/internal/redact"
	"norn/internal/ui"
	"norn/pkg/infraspec"
)

// Run is one call of norn, whose args begin with the program's path: it prints and returns the exit code.
func Run(ctx context.Context, args []string, s ui.Streams) int {
	path, args := args[0], args[1:]
	redactor := redact.New()
	redactor.Hide("SOPS_AGE_KEY", os.Getenv("SOPS_AGE_KEY"))
	s = ui.Redacted(s, redactor)
	defer func() { ui.Flush(s.Out); ui.Flush(s.Err) }()
	a := &app{streams: s, redactor: redactor, called: calledBy(path)}
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
