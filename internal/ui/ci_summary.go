package ui

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"norn/pkg/pipeline"
)

// summaryProgress adds a section about the run to the summary of a CI job. Another reporter still shows the run.
// GitHub Actions and compatible systems name the summary's file (docs.github.com: Workflow commands, Adding a job
// summary).
type summaryProgress struct {
	Progress
	path string
	errs io.Writer

	began time.Time
	title string
	rows  []string
	last  lastLines
}

// withSummary returns p with a job summary if the environment names a file for it.
func withSummary(p Progress, errs io.Writer) Progress {
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return p
	}
	return &summaryProgress{
		Progress: p, path: path, errs: errs, began: time.Now(), last: lastLines{keep: failureLines},
	}
}

// Begin implements Progress.
func (s *summaryProgress) Begin(title string) {
	s.title = title
	s.Progress.Begin(title)
}

// Report implements pipeline.Reporter.
func (s *summaryProgress) Report(e pipeline.Event) {
	switch e.Kind {
	case pipeline.Started:
		s.last.clear()
	case pipeline.Output:
		s.last.add(outputLine(e.Line))
	case pipeline.Warned:
		s.row("⚠️", e.Step, "warning: "+e.Line, 0)
	case pipeline.Ended:
		mark := "✅"
		switch e.Result.State {
		case pipeline.Failed, pipeline.Interrupted:
			mark = "❌"
		case pipeline.Skipped, pipeline.Planned, pipeline.Unchanged:
			mark = "➖"
		}
		text := string(e.Result.State)
		if e.Result.Detail != "" {
			text += ": " + e.Result.Detail
		}
		s.row(mark, e.Step, text, e.Duration)
	case pipeline.Waiting, pipeline.Failing: // not in the summary
	}
	s.Progress.Report(e)
}

func (s *summaryProgress) row(mark, step, text string, took time.Duration) {
	text = cut(text, maxKept)
	s.rows = append(s.rows,
		fmt.Sprintf("| %s | %s | %s | %s |", mark, escapeMarkdown(step), escapeMarkdown(text), formatDuration(took)))
}

// escapeMarkdown escapes text for a cell of a Markdown table.
func escapeMarkdown(text string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;",
		"`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[").Replace(sanitize(text))
}

// End implements Progress.
func (s *summaryProgress) End(o Outcome) {
	s.Progress.End(o)
	if s.title == "" && o.Err == nil {
		return
	}
	if err := s.write(o); err != nil {
		PrintWarning(s.errs, fmt.Sprintf("cannot write the job summary: %v", err))
	}
}

const (
	// maxSummary is the size above which GitHub drops the summary of a job's step.
	maxSummary = 1 << 20
	// maxErrorText is the number of bytes of an error in the summary.
	maxErrorText = 8 << 10
)

func (s *summaryProgress) write(o Outcome) error {
	f, err := os.OpenFile(s.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	text := redactText(s.errs, s.markdown(o))
	if info, err := f.Stat(); err == nil && info.Size()+int64(len(text)) > maxSummary {
		return errors.Join(fmt.Errorf("with this run, %s would exceed 1 MiB", s.path), f.Close())
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}

// markdown returns the section of the summary.
func (s *summaryProgress) markdown(o Outcome) string {
	var b strings.Builder
	title := s.title
	if title == "" {
		title = "norn"
	}
	mark := "✅"
	if o.Err != nil {
		mark = "❌"
	}
	fmt.Fprintf(&b, "### %s %s: %s\n\n", mark, escapeMarkdown(title), o.Name)
	if len(s.rows) > 0 {
		fmt.Fprintf(&b, "| | step | result | time |\n|---|---|---|---|\n%s\n\n", strings.Join(s.rows, "\n"))
	}
	if o.Err == nil {
		fmt.Fprintf(&b, "Done in %s.\n\n", time.Since(s.began).Round(100*time.Millisecond))
		return b.String()
	}
	err := newJSONError(o.Err)
	fmt.Fprintf(&b, "**Error:** %s\n\n", escapeMarkdown(cut(err.Error, maxErrorText)))
	for _, part := range []struct{ name, text string }{{"Reason", err.Reason}, {"Hint", err.Hint}} {
		if part.text != "" {
			fmt.Fprintf(&b, "**%s:** %s\n\n", part.name, escapeMarkdown(cut(part.text, maxErrorText)))
		}
	}
	if len(s.last.lines) > 0 {
		fence, output := codeFence(s.last.lines), strings.Join(s.last.lines, "\n")
		fmt.Fprintf(&b, "<details open><summary>Last output</summary>\n\n%s\n%s\n%[1]s\n\n</details>\n\n", fence, output)
	}
	return b.String()
}

// codeFence returns a Markdown code fence that does not occur in lines.
func codeFence(lines []string) string {
	fence := "```"
	for strings.Contains(strings.Join(lines, "\n"), fence) {
		fence += "`"
	}
	return fence
}
