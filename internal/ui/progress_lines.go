package ui

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"

	"norn/pkg/pipeline"
)

const (
	// longestSilence is the time after which norn reports that a silent step is still running. Some CI systems end a
	// job that prints nothing.
	longestSilence = 30 * time.Second
	// failureLines is the number of a failed step's last lines to show outside of its section of the log.
	failureLines = 40
	// maxPodLines is the maximum number of new Pods for which norn reports the changes of each Pod.
	maxPodLines = 10
)

// lineProgress writes plain lines to pipes, files and CI logs. In a CI log each line has a timestamp, and the output of
// a step is in a foldable section.
type lineProgress struct {
	w     io.Writer
	p     palette
	ci    ci
	quiet bool
	now   func() time.Time

	mu          sync.Mutex
	began       time.Time
	step        string // the running step, or ""
	stepBegan   time.Time
	lastWrite   time.Time
	section     string // the open section of the log, or ""
	last        lastLines
	waitingFor  string
	newPods     map[string]string // states by name
	silenceTick *ticker
}

func newLineProgress(w io.Writer, ci ci, quiet bool) *lineProgress {
	l := &lineProgress{
		w: w, p: newPalette(w), ci: ci, quiet: quiet, now: time.Now, began: time.Now(),
		last: lastLines{keep: failureLines},
	}
	l.silenceTick = newTicker(time.Second, &l.mu, l.breakSilence)
	return l
}

// breakSilence reports that a silent step is still running; the caller holds mu.
func (l *lineProgress) breakSilence() {
	if l.step != "" && !l.quiet && l.now().Sub(l.lastWrite) >= longestSilence {
		running := l.now().Sub(l.stepBegan).Round(time.Second)
		l.line(l.p.dim.Render(fmt.Sprintf("  … %s still running after %s", sanitize(l.step), running)))
	}
}

// line writes a line; the caller holds mu.
func (l *lineProgress) line(text string) {
	l.lastWrite = l.now()
	if l.ci != noCI {
		text = l.p.dim.Render(l.lastWrite.UTC().Format("15:04:05Z")) + " " + text
	}
	_, _ = fmt.Fprintln(l.w, text)
}

// Begin implements Progress.
func (l *lineProgress) Begin(title string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.quiet {
		l.line(l.p.bold.Render(sanitize(title)))
	}
}

// End implements Progress.
func (l *lineProgress) End(o Outcome) {
	l.silenceTick.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.enterSection("")
	if o.Err == nil && !l.quiet && l.stepBegan != (time.Time{}) {
		l.line(l.p.doneLine(l.now().Sub(l.began)))
	}
	if o.Err != nil && l.ci == github {
		err := newJSONError(o.Err)
		parts := slices.DeleteFunc([]string{err.Error, err.Reason, err.Hint}, func(s string) bool { return s == "" })
		text := strings.Join(parts, "\n")
		_, _ = fmt.Fprintf(l.w, "::error title=norn::%s\n", commandData(text))
	}
}

// Report implements pipeline.Reporter.
func (l *lineProgress) Report(e pipeline.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Kind {
	case pipeline.Started: // no line: the step's end has one
		l.step, l.stepBegan, l.lastWrite = e.Step, l.now(), l.now()
		l.waitingFor, l.newPods = "", nil
		l.last.clear()
	case pipeline.Output:
		l.output(e.Step, e.Line)
	case pipeline.Warned:
		l.line(l.p.warningLine(e.Line))
		if l.ci == github {
			_, _ = fmt.Fprintf(l.w, "::warning title=norn %s::%s\n",
				commandProperty(e.Step), commandData(e.Line))
		}
	case pipeline.Waiting:
		if e.Line != l.waitingFor {
			l.waitingFor = e.Line
			l.sectionLine(e.Step, "  | "+sanitize(e.Line))
		}
		l.podChanges(e.Step, e.Pods)
	case pipeline.Failing: // the output is shown already
	case pipeline.Ended:
		l.enterSection("")
		if e.Result.State == pipeline.Failed && (l.quiet || l.ci.hasSections()) {
			for _, line := range l.last.lines {
				l.line(line)
			}
		}
		if e.Err != nil || !l.quiet {
			l.line(l.p.stepLine(e))
		}
		l.step = ""
	}
}

// output writes a line of a step's output.
func (l *lineProgress) output(step, line string) {
	line = "  | " + outputLine(line)
	l.last.add(line)
	l.sectionLine(step, line)
}

// sectionLine writes a line into the step's section of the log.
func (l *lineProgress) sectionLine(step, line string) {
	if !l.quiet {
		l.enterSection(step)
		l.line(line)
	}
}

// enterSection ends the open section of the log, and begins a new section unless name is "".
func (l *lineProgress) enterSection(name string) {
	if name == l.section || !l.ci.hasSections() {
		return
	}
	if l.section != "" {
		_, _ = io.WriteString(l.w, l.ci.endSection(l.section, l.now()))
	}
	if l.section = name; name != "" {
		_, _ = io.WriteString(l.w, l.ci.beginSection(name, l.now()))
	}
}

// podChanges reports the new pods whose state has changed, unless there are too many of them.
func (l *lineProgress) podChanges(step string, pods []pipeline.Pod) {
	states := map[string]string{}
	for _, p := range pods {
		if !p.Old {
			states[p.Name] = podState(p, false)
		}
	}
	if len(states) <= maxPodLines {
		for _, p := range pods {
			if state := states[p.Name]; state != "" && state != l.newPods[p.Name] {
				l.sectionLine(step, sanitize(fmt.Sprintf("  | Pod %s: %s", p.Name, state)))
			}
		}
	}
	l.newPods = states
}

// outputLine returns a line of a program's output without control characters, and without text that the program has
// overwritten itself.
func outputLine(line string) string {
	line = strings.TrimRight(line, "\r")
	line = line[strings.LastIndexByte(line, '\r')+1:]
	return sanitize(strings.ReplaceAll(ansi.Strip(line), "\t", "    "))
}
