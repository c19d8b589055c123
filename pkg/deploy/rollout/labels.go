package rollout

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"norn/pkg/pipeline"
)

// labels are the writers of Deployments whose rollouts write to one output side by side.
type labels struct {
	mu        sync.Mutex
	out       io.Writer
	waits     []*label
	restoring bool // the release has failed, and what ran before comes back
}

// restore forgets what the Deployments have waited for: from now on, they wait for what ran before.
func (l *labels) restore() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.restoring = true
	for _, w := range l.waits {
		w.text, w.pods = "", nil
	}
}

// of returns the writer of the Deployment of a process.
func (l *labels) of(process string) io.Writer {
	w := &label{labels: l, name: process}
	l.waits = append(l.waits, w)
	return w
}

// label writes the lines of one Deployment, with its name. It implements pipeline.StepWriter.
type label struct {
	*labels
	name string
	rest []byte
	text string // what it waits for
	pods []pipeline.Pod
}

// Write implements io.Writer.
func (l *label) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, ended := bytes.Cut(l.rest, []byte("\n"))
		if !ended {
			return len(p), nil
		}
		_, _ = fmt.Fprintf(l.out, "%s: %s\n", l.name, line)
		l.rest = rest
	}
}

// Warn implements pipeline.StepWriter.
func (l *label) Warn(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	pipeline.Warn(l.out, "%s: %s", l.name, text)
}

// Wait implements pipeline.StepWriter. It reports what all Deployments wait for, because a report replaces the one
// before.
func (l *label) Wait(text string, pods []pipeline.Pod) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text, l.pods = text, slices.Clone(pods)
	var all []pipeline.Pod
	for _, w := range l.waits {
		all = append(all, w.pods...)
	}
	pipeline.Wait(l.out, l.waiting(all), all)
}

// maxWait is how many characters fit beside a step's name on a terminal of 80 columns.
const maxWait = 62

// waiting describes what the Deployments wait for. If that is long, it counts the Pods, and names a Deployment that is
// not complete. The Pods are shown beside it.
func (l *labels) waiting(pods []pipeline.Pod) string {
	lead, counted := "", "new Pods"
	if l.restoring {
		lead, counted = "restoring: ", "Pods"
	}
	var texts, incomplete []string
	var first *label
	for _, w := range l.waits {
		if w.text == "" {
			continue
		}
		text := w.name + ": " + w.text
		if _, after, found := strings.Cut(w.text, ": "); found && l.restoring { // the lead replaces "restoring revision 4"
			text = w.name + ": " + after
		}
		texts = append(texts, text)
		if slices.ContainsFunc(w.pods, func(p pipeline.Pod) bool { return p.Old || !p.Ready }) || len(w.pods) == 0 {
			incomplete = append(incomplete, text)
			first = cmp.Or(first, w)
		}
	}
	if text := lead + strings.Join(texts, "; "); len(text) <= maxWait {
		return text
	}
	ready, all := 0, 0
	for _, p := range pods {
		if !p.Old {
			all++
			if p.Ready {
				ready++
			}
		}
	}
	sum := fmt.Sprintf("%s%d of %d %s ready", lead, ready, all, counted)
	switch len(incomplete) {
	case 0:
		return sum
	case 1:
		return sum + "; " + incomplete[0]
	}
	return fmt.Sprintf("%s; waiting for %s and %d more", sum, first.name, len(incomplete)-1)
}

// Fail implements pipeline.StepWriter.
func (l *label) Fail() {
	l.mu.Lock()
	defer l.mu.Unlock()
	pipeline.Fail(l.out)
}
