package ui

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"norn/pkg/pipeline"
)

// terminalProgress shows finished steps as lines, and under them the running one: how long it has run, and the end of what it prints or how the
// pods are that it waits for. That part is drawn again in place, and is gone when the step has done well; of one that fails, what
// it printed last stays.
type terminalProgress struct {
	w       io.Writer
	p       palette
	size    func() (width, height int)
	verbose bool

	mu    sync.Mutex
	began time.Time
	step  string    // the running step, or ""
	since time.Time // when it began
	last  lastLines
	waits string // what it waits for
	pods  []pipeline.Pod
	frame int
	drawn int // lines on the screen that are drawn again

	redraws *ticker
}

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

const (
	redrawEvery = 100 * time.Millisecond
	eraseBelow  = "\r\x1b[J"
	// tailLines of a running step's output are shown.
	tailLines = 6
	// keptLines of a failed step's output stay.
	keptLines = 50
)

func newTerminalProgress(w io.Writer, verbose bool) *terminalProgress {
	t := &terminalProgress{w: w, p: newPalette(w), size: func() (int, int) { return Width(w), height(w) }, verbose: verbose, began: time.Now(), last: lastLines{keep: keptLines}}
	t.redraws = every(redrawEvery, &t.mu, t.redraw)
	return t
}

// redraw moves the spinner on; the caller holds mu.
func (t *terminalProgress) redraw() {
	t.frame++
	if t.step != "" {
		t.draw("")
	}
}

// draw writes lines that stay, and what moves under them, in one write so that nothing flickers; the caller holds mu.
func (t *terminalProgress) draw(above string) {
	text := eraseBelow
	if t.drawn > 1 {
		text = ansi.CursorUp(t.drawn-1) + text
	}
	moving := t.moving()
	t.drawn = len(moving)
	_, _ = io.WriteString(t.w, text+above+strings.Join(moving, "\n"))
}

// moving is what is shown of the running step. No line of it is ever broken, since it would not be erased whole.
func (t *terminalProgress) moving() []string {
	if t.step == "" {
		return nil
	}
	columns, rows := t.size()
	head := fmt.Sprintf("  %s %s %s", spinner[t.frame%len(spinner)], t.step, t.p.dim.Render(fmt.Sprintf("%.0fs", time.Since(t.since).Seconds())))
	room := max(0, min(tailLines, rows-2))
	var below []string
	switch {
	case t.waits != "":
		head += " " + t.p.dim.Render(sanitize(t.waits))
		below = t.podLines(room)
	case !t.verbose:
		for _, line := range t.last.lines[max(0, len(t.last.lines)-room):] {
			below = append(below, t.p.dim.Render("    │ "+line))
		}
	}
	lines := append([]string{head}, below...)
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], columns-1, "…")
	}
	return lines
}

// podLines are the pods that a step waits for, those first that are not ready.
func (t *terminalProgress) podLines(room int) []string {
	pods := slices.Clone(t.pods)
	rank := func(p pipeline.Pod) int {
		switch {
		case p.Old:
			return 2
		case p.Ready:
			return 1
		default:
			return 0
		}
	}
	slices.SortStableFunc(pods, func(a, b pipeline.Pod) int { return rank(a) - rank(b) })
	var more string
	if len(pods) > room {
		shown := max(0, room-1)
		more = t.p.dim.Render(fmt.Sprintf("    and %d more", len(pods)-shown))
		pods = pods[:shown]
	}
	column := 0
	for _, p := range pods {
		column = max(column, ansi.StringWidth(p.Name))
	}
	var lines []string
	for _, p := range pods {
		lines = append(lines, fmt.Sprintf("    %s  %s", sanitize(p.Name)+strings.Repeat(" ", column-ansi.StringWidth(p.Name)), t.podStyle(p).Render(sanitize(podState(p)))))
	}
	if more != "" {
		lines = append(lines, more)
	}
	return lines
}

func (t *terminalProgress) podStyle(p pipeline.Pod) lipgloss.Style {
	switch {
	case p.Ready && !p.Old:
		return t.p.good
	case p.Old || p.State == "Pending" || p.State == "ContainerCreating" || p.State == "PodInitializing":
		return t.p.dim
	case p.State == "Running":
		return lipgloss.Style{}
	default:
		return t.p.bad
	}
}

// Begin implements Progress.
func (t *terminalProgress) Begin(title string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.draw(t.p.bold.Render(sanitize(title)) + "\n")
}

// End implements Progress.
func (t *terminalProgress) End(o Outcome) {
	t.redraws.stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	began := t.since != (time.Time{})
	t.step = ""
	switch {
	case o.Err == nil && began:
		t.draw(t.p.endLine(time.Since(t.began)) + "\n")
	case t.drawn > 0:
		t.draw("")
	}
}

// Report implements pipeline.Reporter.
func (t *terminalProgress) Report(e pipeline.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.Kind {
	case pipeline.Started:
		t.step, t.since, t.waits, t.pods = e.Step, time.Now(), "", nil
		t.last.clear()
		t.draw("")
	case pipeline.Output:
		t.output(e)
	case pipeline.Warned:
		t.draw(wrap(t.w, t.p.warningLine(e.Line), 4) + "\n")
	case pipeline.Waiting:
		if t.verbose && e.Line != t.waits {
			t.draw(t.outputLine(sanitize(e.Line)))
		}
		t.waits, t.pods = e.Line, e.Pods
	case pipeline.Ended:
		t.step = ""
		e.Result.Detail = shortDigests(e.Result.Detail)
		t.draw(t.kept(e) + wrap(t.w, t.p.stepLine(e), 4) + "\n")
	}
}

// digest is an image's; its beginning is enough to tell it from others, and the whole of it is in the other reporters' output.
var digest = regexp.MustCompile(`(sha256:[0-9a-f]{12})[0-9a-f]{52}`)

func shortDigests(text string) string { return digest.ReplaceAllString(text, "$1…") }

// output takes a line of a step's output. What is said where no step runs, such as whose lock is waited for, stays.
func (t *terminalProgress) output(e pipeline.Event) {
	line := printable(e.Line)
	if t.verbose || t.step == "" {
		t.draw(t.outputLine(line))
		return
	}
	t.last.add(line)
}

func (t *terminalProgress) outputLine(line string) string {
	return t.p.dim.Render("  │ ") + wrap(t.w, shortDigests(line), 4) + "\n"
}

// kept is what stays of a step's output: of one that has failed, its end.
func (t *terminalProgress) kept(e pipeline.Event) string {
	if e.Result.State != pipeline.Failed {
		return ""
	}
	var b strings.Builder
	if t.last.cut > 0 {
		b.WriteString(t.p.dim.Render(fmt.Sprintf("  │ … %d lines before these; -v shows all", t.last.cut)) + "\n")
	}
	for _, line := range t.last.lines {
		b.WriteString(t.outputLine(line))
	}
	return b.String()
}
