package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"norn/internal/job"
	"norn/internal/ui"
	"norn/pkg/pipeline"
)

// Steps runs a command that consists of steps. It reports the end even if the command fails before its first step.
func (a *App) Steps(ctx context.Context, do func(ui.Progress) error) error {
	out := a.notices.attach(ui.NewProgress(a.Streams, a.Options))
	err := a.explained(ctx, do(out))
	out.End(Outcome(ctx, a.Renamed(err)))
	a.ended = true
	return err
}

// PrintEnd prints the end event of a failed command, unless Steps has already done so or the reader is gone.
func (a *App) PrintEnd(ctx context.Context, err error) {
	if err == nil || a.ended || ReaderGone(err) {
		return
	}
	ui.PrintEnd(a.Streams.Out, Outcome(ctx, a.Renamed(err)))
}

// OneOff is a Job whose output is the command's result.
type OneOff struct {
	Title   string
	Request job.Request
	Call    func(context.Context, job.Request) error
}

// RunOnce runs the Job that prepare returns. The Job's output goes to stdout unchanged or, with -o json, becomes the
// output of a step called name.
func (a *App) RunOnce(ctx context.Context, name string, prepare func() (*OneOff, error)) error {
	if !a.JSON {
		o, err := prepare()
		if err != nil {
			return err
		}
		if !ui.IsTerminal(a.Streams.Out) { // on a terminal, the order of the lines matters more
			o.Request.Err = a.Streams.Err
		}
		o.Request.Out, o.Request.Say = a.Streams.Out, func(text string) { ui.PrintWarning(a.Streams.Err, text) }
		return o.Call(ctx, o.Request)
	}
	a.Private = true
	return a.Steps(ctx, func(out ui.Progress) error {
		o, err := prepare()
		if err != nil {
			return err
		}
		out.Begin(o.Title)
		run := func(ctx context.Context, w io.Writer) (pipeline.Result, error) {
			o.Request.Out, o.Request.Say = w, func(text string) { pipeline.Warn(w, "%s", text) }
			return pipeline.Result{State: pipeline.Done}, o.Call(ctx, o.Request)
		}
		step := pipeline.Step[pipeline.None]{Name: name, Run: pipeline.Act(run)}
		_, err = pipeline.RunStep(ctx, pipeline.Runner{To: out, Filter: a.Redactor.Writer}, step)
		return err
	})
}

// Confirm asks before a command does something irreversible. Without a terminal it returns an error that names --yes.
func (a *App) Confirm(ctx context.Context, command, question, consequence string) error {
	prompt, asking := ui.NewPrompt(a.Streams)
	if !asking {
		return unasked(command)
	}
	answer, err := prompt.Ask(ctx, question+" ("+consequence+")? [y/N] ")
	return confirmed(err, strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes"))
}

// ConfirmName says what a command does, and asks for a name before it deletes data. Without a terminal it returns an
// error that names --yes.
func (a *App) ConfirmName(ctx context.Context, command, consequence, name string) error {
	prompt, asking := ui.NewPrompt(a.Streams)
	if !asking {
		return unasked(command)
	}
	answer, err := prompt.Ask(ctx, fmt.Sprintf("%s; enter %s to continue: ", consequence, name))
	return confirmed(err, answer == name)
}

// unasked returns the error for a command that nobody can confirm.
func unasked(command string) error {
	return &pipeline.UsageError{
		Problem: command + " needs confirmation, and there is no terminal to ask on",
		Advice:  "pass --yes to skip the confirmation",
	}
}

// confirmed returns an error unless the answer to a question, which was read with err, agrees.
func confirmed(err error, agrees bool) error {
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("nothing was changed: %w", err)
	case !agrees:
		return &DeclinedError{}
	}
	return nil
}

// PrintAfter prints lines that follow the end of a command with steps. It prints nothing with --quiet or --output json.
func (a *App) PrintAfter(text string) {
	if text != "" && !a.JSON && !a.Quiet {
		ui.PrintLines(a.Streams.Err, a.Rename(text))
	}
}
