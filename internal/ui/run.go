package ui

import (
	"fmt"
	"io"
	"time"

	"norn/pkg/pipeline"
)

// Run is a pipeline's reporter with a title in front and an outcome at the end.
type Run interface {
	pipeline.Reporter
	// Begin says what is going to happen.
	Begin(title string)
	// End says how it ended, and puts the terminal back in order; it is always called, also where nothing has begun.
	End(Outcome)
}

// Outcome is how a run ended.
type Outcome struct {
	Err  error
	Code int    // norn's exit code
	Name string // its stable name, such as rollout-failed
	// Reason is a stable word for why it failed, such as CrashLoop; "" where none fits.
	Reason string
}

// Options are the output flags.
type Options struct {
	JSON    bool // -o json
	Quiet   bool // -q: no progress
	Verbose bool // -v: on a terminal, all that steps print stays
	Private bool // what steps print may be data, which belongs into no summary
}

// NewRun chooses the reporter for s: JSON events on stdout, or progress on stderr that moves on a terminal. Secret values are taken out
// of the events.
func NewRun(s Streams, o Options) Run {
	stream := s.Err
	if o.JSON {
		stream = s.Out
	}
	run := newRun(s, o)
	if !o.Private {
		run = summarized(run, s.Err)
	}
	return &redactedRun{run, stream}
}

func newRun(s Streams, o Options) Run {
	log := ciLog()
	switch {
	case o.JSON:
		return newJSONRun(s.Out)
	case IsTerminal(s.Err) && log == noCI && !o.Quiet:
		return newTerminalRun(s.Err, o.Verbose)
	default:
		return newLinesRun(s.Err, log, o.Quiet)
	}
}

// redactedRun takes secret values out of events before they are encoded, cut or wrapped.
type redactedRun struct {
	Run
	stream io.Writer
}

// redactedError is an error whose texts are without secret values; its evidence goes through the stream's redactor when it is encoded.
type redactedError struct {
	text, reason, hint string
	err                error
}

func (e *redactedError) Error() string  { return e.text }
func (e *redactedError) Reason() string { return e.reason }
func (e *redactedError) Hint() string   { return e.hint }
func (e *redactedError) Unwrap() error  { return e.err }

func (r *redactedRun) redact(err error) error {
	if err == nil {
		return nil
	}
	plain := func(text string) string { return plainText(r.stream, text) }
	return &redactedError{plain(err.Error()), plain(reasonOf(err)), plain(pipeline.HintOf(err)), err}
}

// Report implements pipeline.Reporter.
func (r *redactedRun) Report(e pipeline.Event) {
	e.Line, e.Result.Detail = plainText(r.stream, e.Line), plainText(r.stream, e.Result.Detail)
	e.Err = r.redact(e.Err)
	r.Run.Report(e)
}

// End implements Run.
func (r *redactedRun) End(o Outcome) {
	o.Err = r.redact(o.Err)
	r.Run.End(o)
}

// stepLine is how a finished step looks everywhere but in JSON.
func (p palette) stepLine(e pipeline.Event) string {
	mark, state := p.good.Render("✓"), string(e.Result.State)
	switch e.Result.State {
	case pipeline.Failed:
		mark, state = p.bad.Render("✗"), p.bad.Render(state)
	case pipeline.Interrupted:
		mark, state = p.warn.Render("!"), p.warn.Render(state)
	case pipeline.Skipped, pipeline.Planned:
		mark, state = p.dim.Render("-"), p.dim.Render(state)
	case pipeline.Unchanged:
		mark, state = p.dim.Render("="), p.dim.Render(state)
	}
	line := fmt.Sprintf("  %s %s %s", mark, e.Step, state)
	if e.Result.Detail != "" {
		line += p.dim.Render(": ") + clean(e.Result.Detail)
	}
	if took := shortly(e.Duration); took != "" {
		line += p.dim.Render(" (" + took + ")")
	}
	return line
}

// warningLine is how a step's warning looks.
func (p palette) warningLine(text string) string {
	return "  " + p.warn.Render("! warning:") + " " + clean(text)
}

// endLine is how a run ends that came to its end.
func (p palette) endLine(took time.Duration) string {
	line := p.good.Render("done")
	if in := shortly(took); in != "" {
		line += p.dim.Render(" in " + in)
	}
	return line
}

// shortly is a duration that is worth telling, or "".
func shortly(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return ""
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	default:
		return fmt.Sprint(d.Round(time.Second))
	}
}
