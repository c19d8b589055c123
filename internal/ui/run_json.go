package ui

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"norn/pkg/pipeline"
)

// jsonRun writes each event as one JSON object; docs/json.md says to users what is in them.
type jsonRun struct {
	enc   *json.Encoder
	began time.Time
}

func newJSONRun(w io.Writer) *jsonRun { return &jsonRun{json.NewEncoder(w), time.Now()} }

// jsonEvent is one of begin, started, output, warning, waiting, ended, end.
type jsonEvent struct {
	Time  time.Time      `json:"time"`
	Event string         `json:"event"`
	Step  string         `json:"step,omitempty"`
	State pipeline.State `json:"state,omitempty"`
	Text  string         `json:"text,omitempty"`
	Pods  []pipeline.Pod `json:"pods,omitempty"`

	Seconds  float64 `json:"seconds,omitempty"`
	ExitCode *int    `json:"exitCode,omitempty"`
	Outcome  string  `json:"outcome,omitempty"`
	*jsonError
}

// jsonError is what there is to say of an error.
type jsonError struct {
	Error      string `json:"error"`
	ReasonCode string `json:"reasonCode,omitempty"` // of an end
	Reason     string `json:"reason,omitempty"`
	Hint       string `json:"hint,omitempty"`
	Failure    any    `json:"failure,omitempty"`  // the evidence, where it has some
	Findings   any    `json:"findings,omitempty"` // what is wrong with a file, and where
}

func newJSONError(err error) *jsonError {
	if err == nil {
		return nil
	}
	out := &jsonError{Error: err.Error(), Reason: reasonOf(err), Hint: pipeline.HintOf(err)}
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

func (j *jsonRun) put(e jsonEvent) {
	e.Time = time.Now().UTC()
	_ = j.enc.Encode(e)
}

// Begin implements Run.
func (j *jsonRun) Begin(title string) { j.put(jsonEvent{Event: "begin", Text: title}) }

// End implements Run.
func (j *jsonRun) End(o Outcome) {
	said := newJSONError(o.Err)
	if said != nil {
		said.ReasonCode = o.Reason
	}
	took := time.Duration(0)
	if !j.began.IsZero() {
		took = time.Since(j.began)
	}
	j.put(jsonEvent{Event: "end", Seconds: took.Seconds(), ExitCode: &o.Code, Outcome: o.Name, jsonError: said})
}

// PrintEnd writes the event that tells how a command ended that has no steps.
func PrintEnd(w io.Writer, o Outcome) { (&redactedRun{&jsonRun{enc: json.NewEncoder(w)}, w}).End(o) }

// Report implements pipeline.Reporter.
func (j *jsonRun) Report(e pipeline.Event) {
	out := jsonEvent{Event: string(e.Kind), Step: e.Step, State: e.Result.State, Text: e.Result.Detail, Pods: e.Pods, Seconds: e.Duration.Seconds(), jsonError: newJSONError(e.Err)}
	if e.Kind != pipeline.Ended {
		out.Text = e.Line
	}
	j.put(out)
}
