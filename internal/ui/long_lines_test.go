package ui

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/pipeline"
)

type withEvidence struct{ hinted }

func (withEvidence) Failure() any { return evidence{"CrashLoop", []string{"the log"}} }

type evidence struct {
	Reason string   `json:"reason" redact:"-"`
	Log    []string `json:"log,omitempty"`
}

func (e evidence) WithoutLogs() any { return evidence{Reason: e.Reason} }

// Only the last JSON event has the log of a failure.
func TestJSONHasTheLogOnce(t *testing.T) {
	var out bytes.Buffer
	r := NewProgress(Streams{Out: &out, Err: io.Discard}, Options{JSON: true})
	r.Report(pipeline.Event{
		Kind: pipeline.Ended, Step: "rollout", Result: pipeline.Result{State: pipeline.Failed}, Err: withEvidence{},
	})
	r.End(Outcome{Err: withEvidence{}, Code: 4, Name: "rollout-failed"})
	ended, end, _ := strings.Cut(out.String(), "\n")
	if strings.Contains(ended, "the log") || !strings.Contains(ended, `"failure":{"reason":"CrashLoop"}`) ||
		!strings.Contains(end, `"log":["the log"]`) {
		t.Errorf("ended: %s\nend: %s", ended, end)
	}
}

// However long a step's last lines are, the summary of a job stays below GitHub's limit, and a terminal's screen
// is not flooded.
func TestLongLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary.md")
	t.Setenv("GITHUB_STEP_SUMMARY", path)
	long := pipeline.Event{Kind: pipeline.Output, Step: "migrate", Line: strings.Repeat("x", 1<<17)}
	failed := pipeline.Event{
		Kind: pipeline.Ended, Step: "migrate", Result: pipeline.Result{State: pipeline.Failed}, Err: errors.New(long.Line),
	}
	var errs bytes.Buffer
	r := NewProgress(Streams{Out: io.Discard, Err: &errs}, Options{Quiet: true})
	var screen bytes.Buffer
	terminal := newTestTerminal(&screen, 80, 24, false)
	for _, r := range []pipeline.Reporter{r, terminal} {
		r.Report(pipeline.Event{Kind: pipeline.Started, Step: "migrate"})
		for range 60 {
			r.Report(long)
		}
		r.Report(failed)
	}
	r.End(Outcome{Err: errors.New(long.Line), Code: 1, Name: "error"})
	summary, err := os.ReadFile(path)
	if err != nil || len(summary) > 120<<10 || !strings.Contains(string(summary), "… (131072 bytes)") {
		t.Errorf("the summary has %d bytes: %v", len(summary), err)
	}
	if errs.Len() > 120<<10 || screen.Len() > 300<<10 {
		t.Errorf("%d bytes in a pipe, %d on a terminal", errs.Len(), screen.Len())
	}

	full := bytes.Repeat([]byte("x"), maxSummary-1000)
	if err := os.WriteFile(path, full, 0o644); err != nil {
		t.Fatal(err)
	}
	r = NewProgress(Streams{Out: io.Discard, Err: &errs}, Options{})
	r.End(Outcome{Err: errors.New(long.Line), Code: 1, Name: "error"})
	if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, full) {
		t.Errorf("the summary has %d bytes: %v", len(kept), err)
	}
	if !strings.Contains(errs.String(), "would exceed 1 MiB") {
		t.Errorf("no warning: %.300s", errs.String())
	}
}
