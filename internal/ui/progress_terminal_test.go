package ui

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"norn/pkg/pipeline"
)

var (
	timestamp   = regexp.MustCompile(`\d\d:\d\d:\d\dZ `)
	sectionTime = regexp.MustCompile(`(section_(?:start|end)):\d+:`)
)

// newTestTerminal returns the reporter for a terminal of this size. It does not redraw periodically.
func newTestTerminal(w *bytes.Buffer, columns, rows int, verbose bool) *terminalProgress {
	return &terminalProgress{
		w: w, p: newPalette(w), size: func() (int, int) { return columns, rows }, verbose: verbose,
		began: time.Now(), last: lastLines{keep: keptLines},
	}
}

// screen returns the lines on a large terminal after it has received written.
func screen(t *testing.T, written string) []string {
	t.Helper()
	lines := []string{""}
	at := 0
	for rest := written; rest != ""; {
		switch up := regexp.MustCompile(`^\x1b\[(\d*)A`).FindStringSubmatch(rest); {
		case up != nil:
			n := 1
			if up[1] != "" {
				_, _ = fmt.Sscan(up[1], &n)
			}
			if at -= n; at < 0 {
				t.Fatalf("above the first line: %q", written)
			}
			rest = rest[len(up[0]):]
		case strings.HasPrefix(rest, eraseBelow):
			lines = append(lines[:at], "")
			rest = rest[len(eraseBelow):]
		case rest[0] == '\n':
			if at++; at == len(lines) {
				lines = append(lines, "")
			}
			rest = rest[1:]
		default:
			end := strings.IndexAny(rest, "\n\x1b\r")
			if end < 0 {
				end = len(rest)
			}
			lines[at] += rest[:end]
			rest = rest[end:]
		}
	}
	return lines
}

// The redrawn part is never wider or higher than the terminal.
func TestTerminalFits(t *testing.T) {
	var b bytes.Buffer
	r := newTestTerminal(&b, 20, 5, false)
	r.Report(pipeline.Event{Kind: pipeline.Started, Step: "build"})
	for i := range 30 {
		r.Report(pipeline.Event{Kind: pipeline.Output, Line: fmt.Sprint(i, strings.Repeat("ä", 100))})
	}
	lines := r.runningStep()
	if len(lines) != 4 || !strings.Contains(lines[3], "29") {
		t.Errorf("%d lines: %q", len(lines), lines)
	}
	var pods []pipeline.Pod
	for i := range 30 {
		pods = append(pods, pipeline.Pod{Name: fmt.Sprintf("shop-%02d-with-a-long-name", i), State: "Running"})
	}
	r.Report(pipeline.Event{Kind: pipeline.Waiting, Line: "0 of 30", Pods: pods})
	lines = append(lines, r.runningStep()...)
	if last := lines[len(lines)-1]; len(lines) != 8 || strings.TrimSpace(last) != "and 28 more" {
		t.Errorf("%d lines, the last %q", len(lines), last)
	}
	for _, line := range lines {
		if ansi.StringWidth(line) > 19 {
			t.Errorf("%d columns: %q", ansi.StringWidth(line), line)
		}
	}
}

// A successful step leaves its line. A failed step also leaves its last output. Nothing of the redrawn part remains.
func TestTerminalKeeps(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		var b bytes.Buffer
		r := newTestTerminal(&b, 80, 24, verbose)
		r.Begin("deploy shop")
		for _, e := range events {
			r.Report(e)
			r.frame++
			r.draw("")
		}
		r.End(Outcome{Err: hinted{}})
		want := []string{
			"deploy shop", "  ! warning: two platforms", "  ✓ build done: made it (1.5s)",
			"  │ log | no ```luck```", "  ✗ rollout failed", "",
		}
		if verbose {
			want = []string{
				"deploy shop", "  │ STEP 1 ##[add-mask]x", "  ! warning: two platforms",
				"  ✓ build done: made it (1.5s)", "  │ 0 of 1 ready", "  │ log | no ```luck```",
				"  ✗ rollout failed", "",
			}
		}
		if got := screen(t, b.String()); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("verbose %v:\n%s\nwant:\n%s", verbose, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// A failure is shown at once, not only after the restore that follows it. Meanwhile, the running step shows the
// restore.
func TestTerminalShowsFailureAtOnce(t *testing.T) {
	var b bytes.Buffer
	r := newTestTerminal(&b, 80, 24, false)
	r.Report(pipeline.Event{Kind: pipeline.Started, Step: "rollout"})
	r.Report(pipeline.Event{Kind: pipeline.Waiting, Step: "rollout", Line: "0 of 1 new Pods available"})
	r.Report(pipeline.Event{Kind: pipeline.Output, Step: "rollout", Line: "failed (CrashLoop)"})
	r.Report(pipeline.Event{Kind: pipeline.Failing, Step: "rollout"})
	want := []string{"  │ failed (CrashLoop)", "  ⠋ rollout 0s has failed, cleaning up"}
	if got := screen(t, b.String()); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("right after the failure:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	r.Report(pipeline.Event{Kind: pipeline.Output, Step: "rollout", Line: "restoring revision 1, commit c"})
	r.Report(pipeline.Event{Kind: pipeline.Waiting, Step: "rollout", Line: "restoring revision 1", Pods: []pipeline.Pod{
		{Name: "shop-0", State: "ContainerCreating"}, {Name: "shop-1", State: "CrashLoopBackOff", Old: true},
		{Name: "shop-2", State: "Running", Ready: true, Old: true},
	}})
	r.draw("")
	want = []string{
		"  │ failed (CrashLoop)", "  │ restoring revision 1, commit c", "  ⠋ rollout 0s restoring revision 1",
		"    shop-0  ContainerCreating", "    shop-1  CrashLoopBackOff (failed version)",
		"    shop-2  ready (failed version)",
	}
	if got := screen(t, b.String()); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("during the restore:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	r.Report(pipeline.Event{Kind: pipeline.Ended, Step: "rollout", Result: pipeline.Result{State: pipeline.Failed}})
	want = append(want[:2], "  ✗ rollout failed", "")
	if got := screen(t, b.String()); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("at the end:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Pods that are not ready come first, pods of the old version last.
func TestTerminalPods(t *testing.T) {
	var b bytes.Buffer
	r := newTestTerminal(&b, 80, 24, false)
	r.pods = []pipeline.Pod{
		{Name: "a", State: "Terminating", Old: true}, {Name: "c", State: "Running", Ready: true, Old: true},
		{Name: "b", State: "Running", Ready: true}, {Name: "long", State: "ImagePullBackOff"},
	}
	want := "    long  ImagePullBackOff\n    b     ready\n    a     Terminating\n    c     ready (old version)"
	if got := strings.Join(r.podLines(6), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
