package cli

import (
	"bytes"
	"strings"
	"testing"

	"norn/internal/ui"
	"norn/pkg/pipeline"
)

// A notice during a step is an event of that step. Outside of steps, it is a line on stderr. Neither has control
// characters.
func TestNotices(t *testing.T) {
	for _, json := range []bool{false, true} {
		var out, errs bytes.Buffer
		a := NewApp("norn", ui.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		a.JSON = json
		a.warnNow("before \x1b[2J")
		err := a.Steps(t.Context(), func(p ui.Progress) error {
			p.Report(pipeline.Event{Kind: pipeline.Started, Step: "build"})
			a.warnNow("within \x1b[2J")
			a.sayWaiting("waiting for it")
			p.Report(pipeline.Event{Kind: pipeline.Ended, Step: "build", Result: pipeline.Result{State: pipeline.Done}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		a.sayWaiting("after")
		wants := []string{"Warning: before", "after\n"}
		if json {
			wants = append(wants, `"event":"warning","step":"build","text":"within`,
				`"event":"output","step":"build","text":"waiting for it"`)
		} else {
			wants = append(wants, "  ! warning: within", "  | waiting for it\n")
		}
		got := errs.String() + out.String()
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("JSON %v: no %q in:\n%s", json, want, got)
			}
		}
		if strings.Contains(got, "\x1b") {
			t.Errorf("JSON %v: control characters in %q", json, got)
		}
	}
}
