// Package ui owns everything that norn prints. The rules, in one place:
//
//   - Results go to stdout, progress and errors to stderr. A pipe on stdout gets results only.
//   - An error is "Error: " and what could not be done, then "Reason: " and "Hint: " lines where there are such.
//   - With -o json, stdout carries JSON objects, one a line, and nothing else.
//   - A terminal gets colours, and under the finished steps the running one, which moves (run_terminal.go); anything else gets plain lines, one
//     a change, and a line each half minute of silence (run_lines.go). In the log of a CI job lines have times, and what steps print can be folded
//     (ci.go); a job's summary is written where the environment names a file for it (summary.go).
//   - Of a step that has done well one line stays, and its warnings; of one that fails, what it printed last. -v keeps all, -q only the latter.
//   - NO_COLOR and TERM=dumb take the colours away, CLICOLOR_FORCE brings them back.
//   - What comes from a file or from the cluster is printed without control characters.
//   - A line that is wider than the terminal is broken between words; in a pipe it stays whole.
//   - A secret value that norn has decrypted is shown as [redacted:NAME], in whatever form it comes and on every stream.
//     Text is redacted before it is cut or broken into lines, and once more where it leaves.
//   - A line of a step's output is indented under its step. Nothing is printed that a step has not returned or written.
package ui

import (
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// Streams are the three standard streams of a command.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Standard are the process's own streams.
func Standard() Streams { return Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr} }

// IsTerminal reports whether stream is a terminal that can move its cursor.
func IsTerminal(stream any) bool {
	f := osFile(stream)
	return f != nil && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" //nolint:gosec // a file descriptor fits an int
}

// Width is the terminal's width in columns, or 80 where it is not known.
func Width(stream any) int {
	if f := osFile(stream); f != nil {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 { //nolint:gosec // likewise
			return w
		}
	}
	return 80
}

// height is the terminal's height in lines, or 24 where it is not known.
func height(stream any) int {
	if f := osFile(stream); f != nil {
		if _, h, err := term.GetSize(int(f.Fd())); err == nil && h > 0 { //nolint:gosec // likewise
			return h
		}
	}
	return 24
}

// wrap breaks text between words where a terminal would break it anywhere, and indents what goes on in the next lines.
// What is no terminal gets the text as it is.
func wrap(stream any, text string, indent int) string {
	text = redactText(stream, text)
	if !IsTerminal(stream) {
		return text
	}
	// The library breaks after any hyphen, also in flags and names.
	text = ansi.Wrap(strings.ReplaceAll(text, "-", unbroken), Width(stream)-indent, "")
	return strings.NewReplacer(unbroken, "-", "\n", "\n"+strings.Repeat(" ", indent)).Replace(text)
}

// unbroken stands for a hyphen while lines are broken; it is a character that means nothing.
const unbroken = "\ue000"

// clean takes out of a text from elsewhere what a terminal or a CI log would act on: escapes, lines of its own, and workflow commands.
func sanitize(text string) string {
	return escapeWorkflowCommand(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, text))
}

// palette are the styles of one stream; they are empty where that stream takes no colour.
type palette struct {
	good, bad, warn, dim, bold lipgloss.Style
}

// newRenderer finds out which colours a stream takes.
func newRenderer(stream io.Writer) *lipgloss.Renderer {
	if f := osFile(stream); f != nil {
		stream = f
	}
	return lipgloss.NewRenderer(stream)
}

// newPalette chooses colours that are readable on light and on dark backgrounds.
func newPalette(stream io.Writer) palette {
	r := newRenderer(stream)
	color := func(light, dark string) lipgloss.Style {
		return r.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: light, Dark: dark})
	}
	return palette{
		good: color("28", "42"),
		bad:  color("160", "203"),
		warn: color("130", "214"),
		dim:  color("243", "245"),
		bold: r.NewStyle().Bold(true),
	}
}
