package ui

import (
	"fmt"
	"io"
	"time"

	"norn/pkg/pipeline"
)

// Progress reports the progress of a pipeline, with a title before it and an outcome after it.
type Progress interface {
	pipeline.Reporter
	// Begin reports what the pipeline is going to do.
	Begin(title string)
	// End reports the outcome and restores the terminal. It must always be called, even without Begin.
	End(Outcome)
}

// Outcome is how a command ended.
type Outcome struct {
	Err  error
	Code int    // norn's exit code
	Name string // the stable name of the exit code, such as rollout-failed
	// Reason is the stable code of the failure, such as CrashLoop, or "".
	Reason string
}

// Options are the output flags.
type Options struct {
	JSON    bool // -o json
	Quiet   bool // -q: no progress
	Verbose bool // -v: a terminal keeps all output of steps
	Private bool // the output of steps may be user data, which must not be in a job's summary
}

// NewProgress returns the reporter for s and o: JSON events on stdout, or progress for people on stderr. It redacts
// secret values.
func NewProgress(s Streams, o Options) Progress {
	stream := s.Err
	if o.JSON {
		stream = s.Out
	}
	p := newProgress(s, o)
	if !o.Private {
		p = withSummary(p, s.Err)
	}
	return &redactedProgress{p, stream}
}

func newProgress(s Streams, o Options) Progress {
	ci := detectCI()
	switch {
	case o.JSON:
		return newJSONProgress(s.Out)
	case IsTerminal(s.Err) && ci == noCI && !o.Quiet:
		return newTerminalProgress(s.Err, o.Verbose)
	default:
		return newLineProgress(s.Err, ci, o.Quiet)
	}
}

// redactedProgress redacts events before another reporter encodes, cuts or wraps them.
type redactedProgress struct {
	Progress
	stream io.Writer
}

// redactedError is an error with redacted texts. The stream redacts its evidence during encoding.
type redactedError struct {
	text, reason, hint string
	err                error
}

func (e *redactedError) Error() string  { return e.text }
func (e *redactedError) Reason() string { return e.reason }
func (e *redactedError) Hint() string   { return e.hint }
func (e *redactedError) Unwrap() error  { return e.err }

func (r *redactedProgress) redact(err error) error {
	if err == nil {
		return nil
	}
	redact := func(text string) string { return redactText(r.stream, text) }
	return &redactedError{redact(err.Error()), redact(errorReason(err)), redact(pipeline.HintOf(err)), err}
}

// Begin implements Progress.
func (r *redactedProgress) Begin(title string) { r.Progress.Begin(redactText(r.stream, title)) }

// Report implements pipeline.Reporter.
func (r *redactedProgress) Report(e pipeline.Event) {
	e.Line, e.Result.Detail = redactText(r.stream, e.Line), redactText(r.stream, e.Result.Detail)
	e.Err = r.redact(e.Err)
	r.Progress.Report(e)
}

// End implements Progress.
func (r *redactedProgress) End(o Outcome) {
	o.Err = r.redact(o.Err)
	r.Progress.End(o)
}

// stepLine returns the line of a finished step.
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
	line := fmt.Sprintf("  %s %s %s", mark, sanitize(e.Step), state)
	if e.Result.Detail != "" {
		line += p.dim.Render(": ") + sanitize(e.Result.Detail)
	}
	if took := formatDuration(e.Duration); took != "" {
		line += p.dim.Render(" (" + took + ")")
	}
	return line
}

// warningLine returns the line of a step's warning.
func (p palette) warningLine(text string) string {
	return "  " + p.warn.Render("! warning:") + " " + sanitize(text)
}

// doneLine returns the last line of a successful run.
func (p palette) doneLine(took time.Duration) string {
	line := p.good.Render("done")
	if in := formatDuration(took); in != "" {
		line += p.dim.Render(" in " + in)
	}
	return line
}

// formatDuration returns a rounded duration, or "" if it is too short to mention.
func formatDuration(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return ""
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	default:
		return fmt.Sprint(d.Round(time.Second))
	}
}

// podState returns a pod's state as it is shown. During a restore, the Pods to replace are those of the version that
// failed.
func podState(p pipeline.Pod, restores bool) string {
	version := " (old version)"
	if restores {
		version = " (failed version)"
	}
	switch {
	case !p.Since.IsZero():
		return p.State + " for " + max(0, time.Since(p.Since)).Round(time.Second).String() + onNode(p.Node)
	case p.Ready && p.Old:
		return "ready" + version
	case p.Old && restores:
		return p.State + version
	case p.Ready:
		return "ready"
	case p.State == "Running":
		return "Running, not ready"
	default:
		return p.State
	}
}

func onNode(name string) string {
	if name == "" {
		return ""
	}
	return " on node " + name
}
