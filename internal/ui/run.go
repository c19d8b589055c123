package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"norn/internal/pipeline"
)

// Run is a pipeline's reporter with a title in front.
type Run interface {
	pipeline.Reporter
	// Begin says what is going to happen.
	Begin(title string)
	// Close puts the terminal back in order; it is always called.
	Close()
}

// NewRun chooses the reporter for s: JSON events on stdout, or progress on stderr that moves on a terminal. Secret values are taken out
// of the events.
func NewRun(s Streams, asJSON bool) Run {
	if asJSON {
		return &redactedRun{newRun(s, asJSON), s.Out}
	}
	return &redactedRun{newRun(s, asJSON), s.Err}
}

func newRun(s Streams, asJSON bool) Run {
	switch {
	case asJSON:
		return &jsonRun{enc: json.NewEncoder(s.Out)}
	case IsTerminal(s.Err):
		return newTerminalRun(s.Err)
	default:
		return &linesRun{w: s.Err, p: newPalette(s.Err)}
	}
}

// redactedError is an error with another text; what else it offers goes through the stream's redactor when it is encoded.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

// redactedRun takes secret values out of events before they are encoded, cut or wrapped.
type redactedRun struct {
	Run
	stream io.Writer
}

// Report implements pipeline.Reporter.
func (r *redactedRun) Report(e pipeline.Event) {
	e.Line, e.Result.Detail = plainText(r.stream, e.Line), plainText(r.stream, e.Result.Detail)
	if e.Err != nil {
		e.Err = &redactedError{plainText(r.stream, e.Err.Error()), e.Err}
	}
	r.Run.Report(e)
}

// jsonRun writes each event as one JSON object.
type jsonRun struct{ enc *json.Encoder }

type jsonEvent struct {
	Event   string         `json:"event"` // begin, started, output, ended
	Step    string         `json:"step,omitempty"`
	State   pipeline.State `json:"state,omitempty"`
	Text    string         `json:"text,omitempty"`
	Error   string         `json:"error,omitempty"`
	Failure any            `json:"failure,omitempty"` // the evidence, where an error has some
	Seconds float64        `json:"seconds,omitempty"`
}

func (j *jsonRun) put(e jsonEvent) { _ = j.enc.Encode(e) }

// Begin implements Run.
func (j *jsonRun) Begin(title string) { j.put(jsonEvent{Event: "begin", Text: title}) }

// Close implements Run.
func (j *jsonRun) Close() {}

// Report implements pipeline.Reporter.
func (j *jsonRun) Report(e pipeline.Event) {
	out := jsonEvent{Event: string(e.Kind), Step: e.Step, State: e.Result.State, Text: e.Result.Detail, Seconds: e.Duration.Seconds()}
	if e.Kind == pipeline.Output {
		out.Text = e.Line
	}
	if e.Err != nil {
		out.Error = e.Err.Error()
		var failure interface{ Failure() any }
		if errors.As(e.Err, &failure) {
			out.Failure = failure.Failure()
		}
	}
	j.put(out)
}

// linesRun writes plain lines, one a change.
type linesRun struct {
	w io.Writer
	p palette
}

// Begin implements Run.
func (l *linesRun) Begin(title string) { _, _ = fmt.Fprintln(l.w, l.p.bold.Render(title)) }

// Close implements Run.
func (l *linesRun) Close() {}

// Report implements pipeline.Reporter.
func (l *linesRun) Report(e pipeline.Event) {
	switch e.Kind {
	case pipeline.Started: // its end says enough
	case pipeline.Output:
		_, _ = fmt.Fprintln(l.w, "  | "+e.Line)
	case pipeline.Ended:
		_, _ = fmt.Fprintln(l.w, l.p.stepLine(e))
	}
}

// stepLine is how a finished step looks everywhere but in JSON.
func (p palette) stepLine(e pipeline.Event) string {
	mark, state := p.good.Render("✓"), string(e.Result.State)
	switch e.Result.State {
	case pipeline.Failed:
		mark, state = p.bad.Render("✗"), p.bad.Render(state)
	case pipeline.Skipped, pipeline.Planned:
		mark, state = p.dim.Render("-"), p.dim.Render(state)
	case pipeline.Unchanged:
		mark, state = p.dim.Render("="), p.dim.Render(state)
	}
	line := fmt.Sprintf("  %s %s %s", mark, e.Step, state)
	if e.Result.Detail != "" {
		line += p.dim.Render(": ") + e.Result.Detail
	}
	if e.Duration >= 100*time.Millisecond {
		line += p.dim.Render(fmt.Sprintf(" (%.1fs)", e.Duration.Seconds()))
	}
	return line
}
