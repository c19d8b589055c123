package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"norn/internal/redact"
	"norn/pkg/pipeline"
)

// Text is redacted before it is wrapped, cut or encoded.
func TestRedactedProgress(t *testing.T) {
	const value = `quote"and\backslash`
	for _, asJSON := range []bool{false, true} {
		var out, errs bytes.Buffer
		r := redact.New()
		r.Hide("TOKEN", value)
		p := NewProgress(Redacted(Streams{Out: &out, Err: &errs}, r), Options{JSON: asJSON})
		inJSON, _ := json.Marshal(value)
		p.Report(pipeline.Event{Kind: pipeline.Output, Step: "build", Line: "log " + value + " " + string(inJSON)})
		p.Report(pipeline.Event{
			Kind: pipeline.Ended, Step: "build", Result: pipeline.Result{State: pipeline.Failed, Detail: value},
			Err: errors.New("x " + value),
		})
		p.End(Outcome{Err: errors.New("y " + value)})
		all := out.String() + errs.String()
		if strings.Contains(all, "backslash") || strings.Count(all, "[redacted:TOKEN]") < 3 {
			t.Errorf("json %v: %s", asJSON, all)
		}
	}
}

// Secret values that are words of norn's JSON, or numbers, leave it valid. Scripts still find its words and numbers.
// Text from elsewhere is redacted.
func TestJSONStaysJSON(t *testing.T) {
	var out bytes.Buffer
	r := redact.New()
	for name, value := range map[string]string{
		"LEVEL": "output", "EVENTNAME": "started", "KEY": "exitCode", "REASON": "CrashLoop", "STEP": "rollout",
		"PIN": "123456", "ZERO": "000000", "LOG": "the log",
	} {
		r.Hide(name, value)
	}
	s := Redacted(Streams{Out: &out, Err: io.Discard}, r)
	p := NewProgress(s, Options{JSON: true})
	p.Begin("deploy output")
	for _, e := range []pipeline.Event{
		{Kind: pipeline.Started, Step: "rollout"},
		{Kind: pipeline.Output, Step: "rollout", Line: `{"output":123456}`},
		{Kind: pipeline.Waiting, Step: "rollout", Pods: []pipeline.Pod{{Name: "output-1", State: "started"}}},
		{
			Kind: pipeline.Ended, Step: "rollout", Result: pipeline.Result{State: pipeline.Failed, Detail: "123456 left"},
			Duration: 1234567890 * time.Second, Err: withEvidence{},
		},
	} {
		p.Report(e)
	}
	p.End(Outcome{Err: withEvidence{}, Code: 4, Name: "rollout-failed", Reason: "CrashLoop"})
	if err := PrintJSON(s.Out, struct {
		Bytes int64     `json:"bytes"`
		Time  time.Time `json:"time"`
		By    string    `json:"by"`
	}{1123456000000, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "output"}); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`"time":"20[^"]*",("event")|,"seconds":[^,}]*`).ReplaceAllString(out.String(), "$1")
	want := `{"event":"begin","text":"deploy [redacted:LEVEL]"}
{"event":"started","step":"rollout"}
{"event":"output","step":"rollout","text":"{\"[redacted:LEVEL]\":[redacted:PIN]}"}
{"event":"waiting","step":"rollout","pods":[` +
		`{"name":"[redacted:LEVEL]-1","state":"[redacted:EVENTNAME]","ready":false,"old":false}]}
{"event":"ended","step":"rollout","state":"failed","text":"[redacted:PIN] left",` +
		`"error":"it broke","reason":"a cause","hint":"a way out","failure":{"reason":"CrashLoop"}}
{"event":"end","exitCode":4,"outcome":"rollout-failed","error":"it broke","reasonCode":"CrashLoop",` +
		`"reason":"a cause","hint":"a way out","failure":{"reason":"CrashLoop","log":["[redacted:LOG]"]}}
{"bytes":1123456000000,"time":"2026-01-02T03:04:05Z","by":"[redacted:LEVEL]"}
`
	if text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

// Everything that is printed is redacted before control characters are replaced, and before it is split into lines or
// styled: afterwards, a value with a tab or with short lines is no longer recognized.
func TestRedactedPrints(t *testing.T) {
	const value = "a\tb\nab\n50%:3"
	r := redact.New()
	r.Hide("TOKEN", value)
	for name, print := range map[string]func(w io.Writer){
		"error":      func(w io.Writer) { PrintError(w, errors.New("x "+value)) },
		"warning":    func(w io.Writer) { PrintWarning(w, "x "+value) },
		"fact":       func(w io.Writer) { PrintFact(w, "name", "x "+value) },
		"line":       func(w io.Writer) { PrintLine(w, Bad, "x", value) },
		"diff":       func(w io.Writer) { PrintDiff(w, "title", "+"+value+"\n") },
		"check":      func(w io.Writer) { NewChecks(w, 9).Print(Check{Name: "a", Detail: []string{value}, Hint: value}) },
		"table":      func(w io.Writer) { PrintTable(w, []string{"A"}, [][]Cell{{Marked(value, Bad)}}) },
		"finding":    func(w io.Writer) { PrintFinding(w, Finding{File: "f", Message: value}) },
		"annotation": func(w io.Writer) { Annotate(w, Finding{File: "f", Message: value}) },
		"interrupt":  func(w io.Writer) { PrintInterrupted(w, errors.New(value), nil) },
	} {
		t.Setenv("CLICOLOR_FORCE", "1")
		var out bytes.Buffer
		w := r.Writer(&out)
		print(w)
		Flush(w)
		if got := out.String(); strings.Contains(got, "ab") || strings.Contains(got, "50%") ||
			!strings.Contains(got, "[redacted:TOKEN]") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
