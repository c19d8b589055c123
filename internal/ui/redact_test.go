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
