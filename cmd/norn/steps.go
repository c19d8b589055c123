package main

import (
	"context"
	"io"

	"norn/internal/job"
	"norn/internal/ui"
	"norn/pkg/pipeline"
)

// steps does what a command does in steps, which are reported as they go, and so is how it ended, however early that was.
func (a *app) steps(ctx context.Context, do func(ui.Progress) error) error {
	out := ui.NewProgress(a.streams, a.Options)
	err := do(out)
	out.End(outcome(ctx, a.spoken(err)))
	a.ended = true
	return err
}

// oneOff is a Job whose output is the command's result.
type oneOff struct {
	title   string
	request job.Request
	call    func(context.Context, job.Request) error
}

// runOnce shows what a Job prints on stdout as it is, or with -o json as a step's output.
func (a *app) runOnce(ctx context.Context, name string, prepare func() (*oneOff, error)) error {
	if !a.JSON {
		o, err := prepare()
		if err != nil {
			return err
		}
		o.request.Out, o.request.Say = a.streams.Out, func(text string) { ui.PrintWarning(a.streams.Err, text) }
		return o.call(ctx, o.request)
	}
	a.Private = true
	return a.steps(ctx, func(out ui.Progress) error {
		o, err := prepare()
		if err != nil {
			return err
		}
		out.Begin(o.title)
		return pipeline.Run(ctx, out, []pipeline.Step{{Name: name, Run: func(ctx context.Context, w io.Writer) (pipeline.Result, error) {
			o.request.Out, o.request.Say = w, func(text string) { pipeline.Warn(w, "%s", text) }
			return pipeline.Result{State: pipeline.Done}, o.call(ctx, o.request)
		}}})
	})
}
