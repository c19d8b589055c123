package ui

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"norn/internal/pipeline"
)

type hinted struct{}

func (hinted) Error() string  { return "it broke" }
func (hinted) Reason() string { return "a cause" }
func (hinted) Hint() string   { return "a way out" }

func TestPrintError(t *testing.T) {
	var b bytes.Buffer
	PrintError(&b, fmt.Errorf("do a thing: %w", hinted{}))
	want := "Error: do a thing: it broke\nReason: a cause\nHint: a way out\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	b.Reset()
	PrintError(&b, errors.New("one\ntwo"))
	if want := "Error: one\n       two\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestPrintInterrupted(t *testing.T) {
	var b bytes.Buffer
	PrintInterrupted(&b, context.Canceled, context.Canceled)
	if b.Len() != 0 {
		t.Errorf("got %q for a bare interrupt", b.String())
	}
	PrintInterrupted(&b, fmt.Errorf("the rollout goes on: %w", errors.New("interrupt signal received")), errors.New("interrupt signal received"))
	if want := "Interrupted: the rollout goes on\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

var events = []pipeline.Event{
	{Kind: pipeline.Started, Step: "build"},
	{Kind: pipeline.Output, Step: "build", Line: "STEP 1"},
	{Kind: pipeline.Ended, Step: "build", Result: pipeline.Result{State: pipeline.Done, Detail: "made it"}, Duration: 1500 * time.Millisecond},
	{Kind: pipeline.Started, Step: "push"},
	{Kind: pipeline.Ended, Step: "push", Result: pipeline.Result{State: pipeline.Failed}, Err: errors.New("refused")},
}

func TestPlainLines(t *testing.T) {
	var out, errs bytes.Buffer
	r := NewRun(Streams{Out: &out, Err: &errs}, false)
	r.Begin("deploy shop")
	for _, e := range events {
		r.Report(e)
	}
	r.Close()
	want := "deploy shop\n  | STEP 1\n  ✓ build done: made it (1.5s)\n  ✗ push failed\n"
	if errs.String() != want || out.Len() != 0 {
		t.Errorf("stderr %q, want %q; stdout %q", errs.String(), want, out.String())
	}
}

func TestJSON(t *testing.T) {
	var out, errs bytes.Buffer
	r := NewRun(Streams{Out: &out, Err: &errs}, true)
	for _, e := range events {
		r.Report(e)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(events) || errs.Len() != 0 {
		t.Fatalf("%d lines, stderr %q", len(lines), errs.String())
	}
	var last map[string]any
	if err := json.Unmarshal([]byte(lines[4]), &last); err != nil || last["state"] != "failed" || last["error"] != "refused" {
		t.Errorf("%s: %v", lines[4], err)
	}
}

// A moving line never wraps, whatever stands in it, and nothing of it is left behind.
func TestTerminalLineFits(t *testing.T) {
	var b bytes.Buffer
	r := &terminalRun{w: &b, p: newPalette(&b), width: 20, done: make(chan struct{})}
	r.step, r.since, r.last = "build", time.Now(), strings.Repeat("ä", 100)
	r.draw()
	if line := []rune(strings.TrimPrefix(b.String(), eraseLine)); len(line) > 19 {
		t.Errorf("%d columns: %q", len(line), string(line))
	}
	b.Reset()
	r.Close()
	if b.String() != eraseLine {
		t.Errorf("the line is left: %q", b.String())
	}
}
