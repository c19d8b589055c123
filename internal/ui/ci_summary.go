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

// summaryProgress adds a page about the run to a job's summary, beside what another reporter shows. GitHub Actions, and those that do
// as it does, name the file for it (docs.github.com: Workflow commands, Adding a job summary).
type summaryProgress struct {
	Progress
	path string
	errs io.Writer

	began time.Time
	title string
	rows  []string
	last  lastLines
}

// summarized is r, with a summary where the environment names a file for it.
func summarized(r Progress, errs io.Writer) Progress {
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return r
	}
	return &summaryProgress{Progress: r, path: path, errs: errs, began: time.Now(), last: lastLines{keep: repeated}}
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
		s.last.add(printable(e.Line))
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
	case pipeline.Waiting: // how it ends is enough
	}
	s.Progress.Report(e)
}

func (s *summaryProgress) row(mark, step, text string, took time.Duration) {
	s.rows = append(s.rows, fmt.Sprintf("| %s | %s | %s | %s |", mark, inTable(step), inTable(text), shortly(took)))
}

// inTable is a text as a cell of a Markdown table, with nothing in it that would be more than text.
func inTable(text string) string {
	return strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[").Replace(sanitize(text))
}

// End implements Progress.
func (s *summaryProgress) End(o Outcome) {
	s.Progress.End(o)
	if s.title == "" && o.Err == nil {
		return
	}
	if err := s.write(o); err != nil {
		PrintWarning(s.errs, fmt.Sprintf("the job's summary could not be written: %v", err))
	}
}

func (s *summaryProgress) write(o Outcome) error {
	f, err := os.OpenFile(s.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, redactText(s.errs, s.page(o)))
	return errors.Join(err, f.Close())
}

// page is the summary in Markdown.
func (s *summaryProgress) page(o Outcome) string {
	var b strings.Builder
	title := s.title
	if title == "" {
		title = "norn"
	}
	mark := "✅"
	if o.Err != nil {
		mark = "❌"
	}
	fmt.Fprintf(&b, "### %s %s: %s\n\n", mark, inTable(title), o.Name)
	if len(s.rows) > 0 {
		fmt.Fprintf(&b, "| | step | result | time |\n|---|---|---|---|\n%s\n\n", strings.Join(s.rows, "\n"))
	}
	if o.Err == nil {
		fmt.Fprintf(&b, "Done in %s.\n\n", time.Since(s.began).Round(100*time.Millisecond))
		return b.String()
	}
	said := newJSONError(o.Err)
	fmt.Fprintf(&b, "**Error:** %s\n\n", inTable(said.Error))
	for _, part := range []struct{ name, text string }{{"Reason", said.Reason}, {"Hint", said.Hint}} {
		if part.text != "" {
			fmt.Fprintf(&b, "**%s:** %s\n\n", part.name, inTable(part.text))
		}
	}
	if len(s.last.lines) > 0 {
		fence := longerThanAny(s.last.lines)
		fmt.Fprintf(&b, "<details open><summary>What was said last</summary>\n\n%s\n%s\n%[1]s\n\n</details>\n\n", fence, strings.Join(s.last.lines, "\n"))
	}
	return b.String()
}

// longerThanAny is a fence for code that no line of it ends.
func longerThanAny(lines []string) string {
	fence := "```"
	for strings.Contains(strings.Join(lines, "\n"), fence) {
		fence += "`"
	}
	return fence
}
