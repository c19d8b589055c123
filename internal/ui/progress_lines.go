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
	// silence is how long a step may say nothing before a line tells that it still runs. Some CI systems end a job that is silent.
	silence = 30 * time.Second
	// repeated is how many of a failed step's last lines are shown again where a log is folded, or for the first time where nothing was shown.
	repeated = 40
	// manyPods is from how many on their states are not told one by one.
	manyPods = 10
)

// lineProgress writes plain lines, one a change: into pipes, files and the logs of CI jobs. There, each line has its time, and what a step
// prints is in a part that can be folded.
type lineProgress struct {
	w     io.Writer
	p     palette
	log   ci
	quiet bool
	now   func() time.Time

	mu     sync.Mutex
	began  time.Time
	step   string // the running one, or ""
	since  time.Time
	wrote  time.Time // when the last line was written
	folded string    // the part of the log that is open, or ""
	last   lastLines
	waits  string // what it waits for
	pods   map[string]string

	beats *ticker
}

func newLineProgress(w io.Writer, log ci, quiet bool) *lineProgress {
	l := &lineProgress{w: w, p: newPalette(w), log: log, quiet: quiet, now: time.Now, began: time.Now(), last: lastLines{keep: repeated}}
	l.beats = every(time.Second, &l.mu, l.beat)
	return l
}

// beat tells that a silent step still runs; the caller holds mu.
func (l *lineProgress) beat() {
	if l.step != "" && !l.quiet && l.now().Sub(l.wrote) >= silence {
		l.line(l.p.dim.Render(fmt.Sprintf("  … %s has run for %s", l.step, l.now().Sub(l.since).Round(time.Second))))
	}
}

// line writes one; the caller holds mu.
func (l *lineProgress) line(text string) {
	l.wrote = l.now()
	if l.log != noCI {
		text = l.p.dim.Render(l.wrote.UTC().Format("15:04:05Z")) + " " + text
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
	l.beats.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fold("")
	if o.Err == nil && !l.quiet && l.since != (time.Time{}) {
		l.line(l.p.endLine(l.now().Sub(l.began)))
	}
	if o.Err != nil && l.log == github {
		said := newJSONError(o.Err)
		text := strings.Join(slices.DeleteFunc([]string{said.Error, said.Reason, said.Hint}, func(s string) bool { return s == "" }), "\n")
		_, _ = fmt.Fprintf(l.w, "::error title=norn::%s\n", data.Replace(text))
	}
}

// Report implements pipeline.Reporter.
func (l *lineProgress) Report(e pipeline.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Kind {
	case pipeline.Started: // its end says enough
		l.step, l.since, l.wrote, l.waits, l.pods = e.Step, l.now(), l.now(), "", nil
		l.last.clear()
	case pipeline.Output:
		l.output(e.Step, e.Line)
	case pipeline.Warned:
		l.line(l.p.warningLine(e.Line))
		if l.log == github {
			_, _ = fmt.Fprintf(l.w, "::warning title=norn %s::%s\n", property.Replace(e.Step), data.Replace(e.Line))
		}
	case pipeline.Waiting:
		if e.Line != l.waits {
			l.waits = e.Line
			l.said(e.Step, "  | "+sanitize(e.Line))
		}
		l.podChanges(e.Step, e.Pods)
	case pipeline.Ended:
		l.fold("")
		if e.Result.State == pipeline.Failed && (l.quiet || l.log.folds()) {
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
	line = "  | " + printable(line)
	l.last.add(line)
	l.said(step, line)
}

// said writes a line into the step's part of the log.
func (l *lineProgress) said(step, line string) {
	if !l.quiet {
		l.fold(step)
		l.line(line)
	}
}

// fold ends the part of the log that is open, and begins another where name is not "".
func (l *lineProgress) fold(name string) {
	if name == l.folded || !l.log.folds() {
		return
	}
	if l.folded != "" {
		_, _ = io.WriteString(l.w, l.log.close(l.folded, l.now()))
	}
	if l.folded = name; name != "" {
		_, _ = io.WriteString(l.w, l.log.open(name, l.now()))
	}
}

// podChanges tells what has changed of the new pods, where they are not so many that only their number tells anything.
func (l *lineProgress) podChanges(step string, pods []pipeline.Pod) {
	states := map[string]string{}
	for _, p := range pods {
		if !p.Old {
			states[p.Name] = podState(p)
		}
	}
	if len(states) <= manyPods {
		for _, p := range pods {
			if state := states[p.Name]; state != "" && state != l.pods[p.Name] {
				l.said(step, sanitize(fmt.Sprintf("  | pod %s: %s", p.Name, state)))
			}
		}
	}
	l.pods = states
}

// podState is a pod's state, where being ready is the one that counts.
func podState(p pipeline.Pod) string {
	switch {
	case p.Ready && p.Old:
		return "ready (old version)"
	case p.Ready:
		return "ready"
	case p.State == "Running":
		return "Running, not ready"
	default:
		return p.State
	}
}

// printable is a line of a program's output as one that stays: what it has overwritten itself, and what it would do to a terminal, is left out.
func printable(line string) string {
	line = strings.TrimRight(line, "\r")
	line = line[strings.LastIndexByte(line, '\r')+1:]
	return sanitize(strings.ReplaceAll(ansi.Strip(line), "\t", "    "))
}
