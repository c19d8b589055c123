package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"norn/internal/redact"
	"norn/pkg/pipeline"
)

// A line that is broken, cut or encoded is redacted before.
func TestRedactedProgress(t *testing.T) {
	const value = `quote"and\backslash`
	for _, asJSON := range []bool{false, true} {
		var out, errs bytes.Buffer
		r := redact.New()
		r.Hide("TOKEN", value)
		run := NewProgress(Redacted(Streams{Out: &out, Err: &errs}, r), Options{JSON: asJSON})
		inJSON, _ := json.Marshal(value)
		run.Report(pipeline.Event{Kind: pipeline.Output, Step: "build", Line: "log " + value + " " + string(inJSON)})
		run.Report(pipeline.Event{Kind: pipeline.Ended, Step: "build", Result: pipeline.Result{State: pipeline.Failed, Detail: value}, Err: errors.New("x " + value)})
		run.End(Outcome{Err: errors.New("y " + value)})
		all := out.String() + errs.String()
		if strings.Contains(all, "backslash") || strings.Count(all, "[redacted:TOKEN]") < 3 {
			t.Errorf("json %v: %s", asJSON, all)
		}
	}
}
