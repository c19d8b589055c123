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

// terminalProgress shows finished steps as lines. Below them, it shows the running step: the elapsed time, and the end
// of its output or the Pods that it waits for. The running step is redrawn in place. It disappears if the step
// succeeds. If the step fails, its last output stays, and is shown as soon as the step has failed.
type terminalProgress struct {
	w       io.Writer
	p       palette
	size    func() (width, height int)
	verbose bool

	mu         sync.Mutex
	began      time.Time
	step       string // the running step, or ""
	stepBegan  time.Time
	last       lastLines
	failing    bool // the running step has failed; its output stays
	waitingFor string
	pods       []pipeline.Pod
	frame      int
	drawn      int // number of lines to redraw

	redrawTick *ticker
}

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

const (
	redrawEvery = 100 * time.Millisecond
	eraseBelow  = "\r\x1b[J"
	// liveLines is the number of a running step's last lines to show.
	liveLines = 6
	// cleaningUp is shown from the moment of a failure, until the step says what it brings back.
	cleaningUp = "has failed, cleaning up"
	// keptLines is the number of a failed step's last lines to keep.
	keptLines = 50
)

func newTerminalProgress(w io.Writer, verbose bool) *terminalProgress {
	t := &terminalProgress{
		w: w, p: newPalette(w), size: func() (int, int) { return Width(w), height(w) }, verbose: verbose,
		began: time.Now(), last: lastLines{keep: keptLines},
	}
	t.redrawTick = newTicker(redrawEvery, &t.mu, t.redraw)
	return t
}

// redraw advances the spinner; the caller holds mu.
func (t *terminalProgress) redraw() {
	t.frame++
	if t.step != "" {
		t.draw("")
	}
}

// draw writes permanent lines, and the running step below them. A single write avoids flicker. The caller holds mu.
func (t *terminalProgress) draw(permanent string) {
	text := eraseBelow
	if t.drawn > 1 {
		text = ansi.CursorUp(t.drawn-1) + text
	}
	running := t.runningStep()
	t.drawn = len(running)
	_, _ = io.WriteString(t.w, text+permanent+strings.Join(running, "\n"))
}

// runningStep returns the lines of the running step. They fit the terminal's width, because a line that the terminal
// wraps cannot be erased completely.
func (t *terminalProgress) runningStep() []string {
	if t.step == "" {
		return nil
	}
	columns, rows := t.size()
	seconds := t.p.dim.Render(fmt.Sprintf("%.0fs", time.Since(t.stepBegan).Seconds()))
	head := fmt.Sprintf("  %s %s %s", spinner[t.frame%len(spinner)], sanitize(t.step), seconds)
	room := max(0, min(liveLines, rows-2))
	var below []string
	switch {
	case t.waitingFor != "":
		head += " " + t.p.dim.Render(sanitize(t.waitingFor))
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

// podLines returns lines for the Pods that the step waits for. Pods that are not ready come first.
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
		gap := strings.Repeat(" ", column-ansi.StringWidth(p.Name))
		state := t.podStyle(p).Render(sanitize(podState(p, t.failing)))
		lines = append(lines, fmt.Sprintf("    %s  %s", sanitize(p.Name)+gap, state))
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
	t.draw(wrap(t.w, t.p.bold.Render(sanitize(title)), 2) + "\n")
}

// End implements Progress.
func (t *terminalProgress) End(o Outcome) {
	t.redrawTick.stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	anyStep := t.stepBegan != (time.Time{})
	t.step = ""
	switch {
	case o.Err == nil && anyStep:
		t.draw(t.p.doneLine(time.Since(t.began)) + "\n")
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
		t.step, t.stepBegan, t.failing, t.waitingFor, t.pods = e.Step, time.Now(), false, "", nil
		t.last.clear()
		t.draw("")
	case pipeline.Output:
		t.output(e)
	case pipeline.Warned:
		t.draw(wrap(t.w, t.p.warningLine(e.Line), 4) + "\n")
	case pipeline.Waiting:
		if t.verbose && e.Line != t.waitingFor {
			t.draw(t.permanentLine(sanitize(e.Line)))
		}
		t.waitingFor, t.pods = e.Line, e.Pods
	case pipeline.Failing:
		t.failing, t.waitingFor, t.pods = true, cleaningUp, nil
		t.draw(t.takeLast())
	case pipeline.Ended:
		t.step = ""
		e.Result.Detail = shortDigests(e.Result.Detail)
		t.draw(t.failureOutput(e) + wrap(t.w, t.p.stepLine(e), 4) + "\n")
	}
}

// digest matches an image digest. A terminal shows only its beginning; other reporters show it in full.
var digest = regexp.MustCompile(`(sha256:[0-9a-f]{12})[0-9a-f]{52}`)

func shortDigests(text string) string { return digest.ReplaceAllString(text, "$1…") }

// output handles a line of a step's output. Output between steps stays, for example that norn waits for a lock.
func (t *terminalProgress) output(e pipeline.Event) {
	line := outputLine(e.Line)
	if t.verbose || t.failing || t.step == "" {
		t.draw(t.permanentLine(line))
		return
	}
	t.last.add(line)
}

func (t *terminalProgress) permanentLine(line string) string {
	return t.p.dim.Render("  │ ") + wrap(t.w, shortDigests(line), 4) + "\n"
}

// failureOutput returns the last output of a failed step, or "" for other steps.
func (t *terminalProgress) failureOutput(e pipeline.Event) string {
	if e.Result.State != pipeline.Failed {
		return ""
	}
	return t.takeLast()
}

// takeLast returns the last output of the step and forgets it.
func (t *terminalProgress) takeLast() string {
	var b strings.Builder
	if t.last.dropped > 0 {
		b.WriteString(t.p.dim.Render(fmt.Sprintf("  │ … %d earlier lines; use -v to show all", t.last.dropped)) + "\n")
	}
	for _, line := range t.last.lines {
		b.WriteString(t.permanentLine(line))
	}
	t.last.clear()
	return b.String()
}
