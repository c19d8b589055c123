package ui

import (
	"errors"
	"io"
	"time"

	"norn/pkg/pipeline"
)

// jsonProgress writes each event as a JSON object. docs/json.md documents the events.
type jsonProgress struct {
	w     io.Writer
	began time.Time
}

func newJSONProgress(w io.Writer) *jsonProgress { return &jsonProgress{w, time.Now()} }

// jsonEvent is an event: begin, started, output, warning, waiting, ended or end.
type jsonEvent struct {
	Time  time.Time      `json:"time"`
	Event string         `json:"event" redact:"-"`
	Step  string         `json:"step,omitempty" redact:"-"`
	State pipeline.State `json:"state,omitempty" redact:"-"`
	Text  string         `json:"text,omitempty"`
	Pods  []pipeline.Pod `json:"pods,omitempty"`

	Seconds  float64 `json:"seconds,omitempty"`
	ExitCode *int    `json:"exitCode,omitempty"`
	Outcome  string  `json:"outcome,omitempty" redact:"-"`
	jsonError
}

// jsonError holds the parts of an error.
type jsonError struct {
	Error      string `json:"error,omitempty"`
	ReasonCode string `json:"reasonCode,omitempty" redact:"-"` // only in end events
	Reason     string `json:"reason,omitempty"`
	Hint       string `json:"hint,omitempty"`
	Failure    any    `json:"failure,omitempty"`  // evidence
	Findings   any    `json:"findings,omitempty"` // the errors in a file, with their places
}

func newJSONError(err error) jsonError {
	if err == nil {
		return jsonError{}
	}
	out := jsonError{Error: err.Error(), Reason: errorReason(err), Hint: pipeline.HintOf(err)}
	var failure interface{ Failure() any }
	if errors.As(err, &failure) {
		out.Failure = failure.Failure()
	}
	var findings interface{ Findings() any }
	if errors.As(err, &findings) {
		out.Findings = findings.Findings()
	}
	return out
}

func (j *jsonProgress) write(e jsonEvent) {
	e.Time = time.Now().UTC()
	_ = PrintJSON(j.w, e)
}

// Begin implements Progress.
func (j *jsonProgress) Begin(title string) { j.write(jsonEvent{Event: "begin", Text: title}) }

// End implements Progress.
func (j *jsonProgress) End(o Outcome) {
	err := newJSONError(o.Err)
	err.ReasonCode = o.Reason
	took := time.Duration(0)
	if !j.began.IsZero() {
		took = time.Since(j.began)
	}
	j.write(jsonEvent{Event: "end", Seconds: took.Seconds(), ExitCode: &o.Code, Outcome: o.Name, jsonError: err})
}

// PrintEnd writes the end event of a command without steps.
func PrintEnd(w io.Writer, o Outcome) {
	(&redactedProgress{&jsonProgress{w: w}, w}).End(o)
}

// Report implements pipeline.Reporter.
func (j *jsonProgress) Report(e pipeline.Event) {
	out := jsonEvent{
		Event: string(e.Kind), Step: e.Step, State: e.Result.State, Text: e.Result.Detail, Pods: e.Pods,
		Seconds: e.Duration.Seconds(), jsonError: newJSONError(e.Err),
	}
	if e.Kind != pipeline.Ended {
		out.Text = e.Line
	}
	if failure, ok := out.Failure.(interface{ WithoutLogs() any }); ok { // only the last event has them
		out.Failure = failure.WithoutLogs()
	}
	j.write(out)
}
