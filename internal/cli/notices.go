package cli

import (
	"fmt"
	"sync"

	"norn/internal/ui"
	"norn/pkg/pipeline"
)

// notices reports lines that belong to no step: waits for a login to the cluster, and warnings of the API server. Any
// goroutine may report one. During a step, a notice becomes output of the step, because a terminal redraws the lines of
// a step.
type notices struct {
	mu   sync.Mutex
	to   ui.Progress // nil outside of Steps
	step string      // the running step, or ""
}

// attach returns a Progress that reports to to. Notices go there too until its End.
func (n *notices) attach(to ui.Progress) ui.Progress {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.to = to
	return &noticedProgress{to, n}
}

// report reports a notice as an event of the running step, or returns false.
func (n *notices) report(kind pipeline.Kind, text string) bool {
	if n.step == "" {
		return false
	}
	n.to.Report(pipeline.Event{Kind: kind, Step: n.step, Line: text})
	return true
}

// noticedProgress is a Progress that also reports notices.
type noticedProgress struct {
	ui.Progress
	notices *notices
}

// Report implements pipeline.Reporter.
func (p *noticedProgress) Report(e pipeline.Event) {
	p.notices.mu.Lock()
	defer p.notices.mu.Unlock()
	switch e.Kind {
	case pipeline.Started:
		p.notices.step = e.Step
	case pipeline.Ended:
		p.notices.step = ""
	case pipeline.Output, pipeline.Warned, pipeline.Waiting:
	}
	p.Progress.Report(e)
}

// End implements ui.Progress.
func (p *noticedProgress) End(o ui.Outcome) {
	p.notices.mu.Lock()
	defer p.notices.mu.Unlock()
	p.notices.to, p.notices.step = nil, ""
	p.Progress.End(o)
}

// sayWaiting prints what norn is waiting for.
func (a *App) sayWaiting(text string) {
	a.notices.mu.Lock()
	defer a.notices.mu.Unlock()
	if !a.notices.report(pipeline.Output, text) {
		_, _ = fmt.Fprintln(a.Streams.Err, text)
	}
}

// warnNow prints a warning of the API server.
func (a *App) warnNow(text string) {
	a.notices.mu.Lock()
	defer a.notices.mu.Unlock()
	if !a.notices.report(pipeline.Warned, text) {
		ui.PrintWarning(a.Streams.Err, text)
	}
}
