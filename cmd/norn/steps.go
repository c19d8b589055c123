package main

import (
	"context"

	"norn/internal/ui"
)

// steps does what a command does in steps, which are reported as they go, and so is how it ended, however early that was.
func (a *app) steps(ctx context.Context, do func(ui.Run) error) error {
	out := ui.NewRun(a.streams, a.Options)
	err := do(out)
	code := exitCode(ctx, err)
	out.End(ui.Outcome{Err: err, Code: code, Name: exitNames[code]})
	return err
}
