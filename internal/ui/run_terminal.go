package ui

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"

	"norn/internal/pipeline"
)

// terminalRun shows finished steps as lines and the running one as a line that is redrawn in place.
type terminalRun struct {
	w     io.Writer
	p     palette
	width int

	mu    sync.Mutex
	step  string    // the running step, or ""
	since time.Time // when it began
	last  string    // its last line of output
	frame int
	done  chan struct{}
	ended sync.WaitGroup
}

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

const (
	redrawEvery = 100 * time.Millisecond
	eraseLine   = "\r\x1b[2K"
)

func newTerminalRun(w io.Writer) *terminalRun {
	t := &terminalRun{w: w, p: newPalette(w), width: width(w), done: make(chan struct{})}
	t.ended.Go(t.redraw)
	return t
}

func (t *terminalRun) redraw() {
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	for {
		select {
		case <-t.done:
			return
		case <-tick.C:
			t.mu.Lock()
			t.frame++
			t.draw()
			t.mu.Unlock()
		}
	}
}

// draw shows the running step; the caller holds mu.
func (t *terminalRun) draw() {
	if t.step == "" {
		return
	}
	line := fmt.Sprintf("  %s %s %s", spinner[t.frame%len(spinner)], t.step, t.p.dim.Render(fmt.Sprintf("%.0fs %s", time.Since(t.since).Seconds(), t.last)))
	_, _ = io.WriteString(t.w, eraseLine+ansi.Truncate(line, t.width-1, "…"))
}

func (t *terminalRun) print(line string) {
	_, _ = io.WriteString(t.w, eraseLine+line+"\n")
	t.draw()
}

// Begin implements Run.
func (t *terminalRun) Begin(title string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print(t.p.bold.Render(title))
}

// Close implements Run.
func (t *terminalRun) Close() {
	close(t.done)
	t.ended.Wait()
	if t.step != "" {
		_, _ = io.WriteString(t.w, eraseLine)
	}
}

// Report implements pipeline.Reporter.
func (t *terminalRun) Report(e pipeline.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.Kind {
	case pipeline.Started:
		t.step, t.since, t.last = e.Step, time.Now(), ""
		t.draw()
	case pipeline.Output:
		t.last = e.Line
		t.print(t.p.dim.Render("  │ ") + wrap(t.w, e.Line, 4))
	case pipeline.Ended:
		t.step = ""
		t.print(wrap(t.w, t.p.stepLine(e), 4))
	}
}
