package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"norn/internal/redact"
	"norn/pkg/pipeline"
)

var events = []pipeline.Event{
	{Kind: pipeline.Started, Step: "build"},
	{Kind: pipeline.Output, Step: "build", Line: "\x1b[31mSTEP 1\x1b[0m ##[add-mask]x"},
	{Kind: pipeline.Warned, Step: "build", Line: "two platforms"},
	{
		Kind: pipeline.Ended, Step: "build", Result: pipeline.Result{State: pipeline.Done, Detail: "made it"},
		Duration: 1500 * time.Millisecond,
	},
	{Kind: pipeline.Started, Step: "rollout"},
	{Kind: pipeline.Waiting, Step: "rollout", Line: "0 of 1 ready", Pods: []pipeline.Pod{
		{Name: "shop-1", State: "Running"}, {Name: "shop-0", State: "Terminating", Old: true},
	}},
	{Kind: pipeline.Waiting, Step: "rollout", Line: "0 of 1 ready", Pods: []pipeline.Pod{
		{Name: "shop-1", State: "Error"},
	}},
	{Kind: pipeline.Output, Step: "rollout", Line: "log | no ```luck```"},
	{Kind: pipeline.Ended, Step: "rollout", Result: pipeline.Result{State: pipeline.Failed}, Err: hinted{}},
}

// play sends the events to the reporter for these options and returns the contents of both streams.
func play(t *testing.T, o Options, env map[string]string) (out, errs string) {
	t.Helper()
	for _, name := range []string{"CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"} {
		t.Setenv(name, env[name])
	}
	var stdout, stderr bytes.Buffer
	r := NewProgress(Streams{Out: &stdout, Err: &stderr}, o)
	r.Begin("deploy shop")
	for _, e := range events {
		r.Report(e)
	}
	r.End(Outcome{Err: hinted{}, Code: 4, Name: "rollout-failed"})
	return stdout.String(), stderr.String()
}

const plainLines = `deploy shop
  | STEP 1 ##[add-mask]x
  ! warning: two platforms
  ✓ build done: made it (1.5s)
  | 0 of 1 ready
  | Pod shop-1: Running, not ready
  | Pod shop-1: Error
  | log | no ` + "```luck```" + `
  ✗ rollout failed
`

func TestPlainLines(t *testing.T) {
	out, errs := play(t, Options{}, nil)
	if errs != plainLines || out != "" {
		t.Errorf("stderr:\n%s\nwant:\n%s\nstdout %q", errs, plainLines, out)
	}
}

// -q hides the progress, but not warnings and the last output of failed steps.
func TestQuiet(t *testing.T) {
	_, errs := play(t, Options{Quiet: true}, nil)
	want := "  ! warning: two platforms\n  | log | no ```luck```\n  ✗ rollout failed\n"
	if errs != want {
		t.Errorf("stderr:\n%s\nwant:\n%s", errs, want)
	}
}

// In a CI log, each line has a timestamp, and the output of a step is in a section. The last output of a failed step
// is repeated after its section.
func TestCILogs(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		want []string
	}{
		{"other", map[string]string{"CI": "true"}, []string{
			"T deploy shop", "T   | STEP 1 ## [add-mask]x", "T   ! warning: two platforms",
			"T   ✓ build done: made it (1.5s)",
		}},
		{"GitHub", map[string]string{"CI": "true", "GITHUB_ACTIONS": "true"}, []string{
			"T deploy shop", "::group::build", "T   | STEP 1 ## [add-mask]x", "T   ! warning: two platforms",
			"::warning title=norn build::two platforms", "::endgroup::", "T   ✓ build done: made it (1.5s)",
			"::group::rollout", "T   | 0 of 1 ready", "T   | Pod shop-1: Running, not ready",
			"T   | Pod shop-1: Error", "T   | log | no ```luck```", "::endgroup::", "T   | log | no ```luck```",
			"T   ✗ rollout failed", "::error title=norn::it broke%0Aa cause%0Aa way out",
		}},
		{"GitLab", map[string]string{"CI": "true", "GITLAB_CI": "true"}, []string{
			"T deploy shop", "\x1b[0Ksection_start:N:norn_build[collapsed=true]\r\x1b[0Kbuild",
			"T   | STEP 1 ## [add-mask]x", "T   ! warning: two platforms",
			"\x1b[0Ksection_end:N:norn_build\r\x1b[0KT   ✓ build done: made it (1.5s)",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, errs := play(t, Options{}, c.env)
			got := strings.Split(maskTimes(errs), "\n")
			if got = got[:min(len(got), len(c.want))]; !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestJSON(t *testing.T) {
	out, errs := play(t, Options{JSON: true}, map[string]string{"CI": "true", "GITHUB_ACTIONS": "true"})
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != len(events)+2 || errs != "" {
		t.Fatalf("%d lines, stderr %q", len(lines), errs)
	}
	parsed := make([]map[string]any, len(lines))
	for i, line := range lines {
		if err := json.Unmarshal([]byte(line), &parsed[i]); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if _, err := time.Parse(time.RFC3339Nano, parsed[i]["time"].(string)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for i, want := range map[int]string{
		0: "begin   deploy shop ", 3: "warning build  two platforms ", 4: "ended build done made it ",
		6: "waiting rollout  0 of 1 ready ", 9: "ended rollout failed  it broke", 10: "end    it broke",
	} {
		e := parsed[i]
		text := func(key string) string { s, _ := e[key].(string); return s }
		got := strings.Join([]string{text("event"), text("step"), text("state"), text("text"), text("error")}, " ")
		if got != want {
			t.Errorf("line %d: %q, want %q: %s", i, got, want, lines[i])
		}
	}
	end := parsed[10]
	if end["exitCode"] != 4.0 || end["outcome"] != "rollout-failed" ||
		end["hint"] != "a way out" || end["reason"] != "a cause" {
		t.Errorf("the end: %s", lines[10])
	}
}

// The job summary lists the steps, and the error with the last output.
func TestSummary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary.md")
	play(t, Options{Quiet: true}, map[string]string{"GITHUB_STEP_SUMMARY": path})
	play(t, Options{JSON: true}, map[string]string{"GITHUB_STEP_SUMMARY": path})
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, want := range []string{
		"### ❌ deploy shop: rollout-failed\n", "| ✅ | build | done: made it | 1.5s |\n",
		"| ⚠️ | build | warning: two platforms |  |\n", "**Error:** it broke\n", "**Hint:** a way out\n",
		"\n````\nlog | no ```luck```\n````\n",
	} {
		if strings.Count(page, want) != 2 {
			t.Errorf("%q is not in the summary twice:\n%s", want, page)
		}
	}
}

// A summary is redacted, and escapes Markdown in foreign text. With Private, there is no summary.
func TestSummaryRevealsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary.md")
	t.Setenv("GITHUB_STEP_SUMMARY", path)
	redactor := redact.New()
	redactor.Hide("TOKEN", "canary-value")
	for _, private := range []bool{true, false} {
		r := NewProgress(Redacted(Streams{Out: io.Discard, Err: io.Discard}, redactor), Options{Private: private})
		r.Begin("deploy canary-value")
		r.Report(pipeline.Event{Kind: pipeline.Started, Step: "build"})
		r.Report(pipeline.Event{Kind: pipeline.Output, Step: "build", Line: "canary-\x1b[1mvalue"})
		r.Report(pipeline.Event{Kind: pipeline.Warned, Step: "build", Line: `a \[link](https://example.com)`})
		r.End(Outcome{Err: errors.New("it broke"), Code: 1, Name: "failed"})
		data, err := os.ReadFile(path)
		if private != errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("private %v: %v", private, err)
		}
		page := string(data)
		complete := strings.Contains(page, "[redacted:TOKEN]\n") && strings.Contains(page, `a \\\[link](`)
		if strings.Contains(page, "canary") || !private && !complete {
			t.Errorf("private %v:\n%s", private, page)
		}
	}
}

// norn prints a line after every 30 seconds of silence.
func TestLongestSilence(t *testing.T) {
	var b bytes.Buffer
	l := newLineProgress(&b, noCI, false)
	defer l.End(Outcome{})
	now := time.Now()
	l.mu.Lock()
	l.now = func() time.Time { return now }
	l.mu.Unlock()
	l.Report(pipeline.Event{Kind: pipeline.Started, Step: "build"})
	for range 65 {
		l.mu.Lock()
		now = now.Add(time.Second)
		l.breakSilence()
		l.mu.Unlock()
	}
	l.Report(pipeline.Event{Kind: pipeline.Ended, Step: "build", Result: pipeline.Result{State: pipeline.Done}})
	l.mu.Lock()
	now = now.Add(time.Hour)
	l.breakSilence()
	l.mu.Unlock()
	want := "  … build still running after 30s\n  … build still running after 1m0s\n  ✓ build done\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestOutputLine(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[31mred\x1b[0m\x1b]0;title\a": "red", "10%\r20%\r": "20%", "a\tb": "a    b", "\x00\u2028": "  ",
		"plain": "plain",
	} {
		if got := outputLine(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// maskTimes replaces timestamps with T, and Unix times with N.
func maskTimes(text string) string {
	return sectionTime.ReplaceAllString(timestamp.ReplaceAllString(text, "T "), "$1:N:")
}
