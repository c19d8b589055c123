package cli

import (
	"cmp"
	"sync"

	"norn/internal/ui"
	"norn/pkg/forge"
	"norn/pkg/pipeline"
)

// notices reports lines that belong to no step: waits for a login to the cluster, and warnings of the API server. Any
// goroutine may report one. During a step, a notice becomes output of the step, because a terminal redraws the lines of
// a step.
type notices struct {
	mu   sync.Mutex
	to   ui.Progress // nil outside of Steps
	step string      // the running step, or ""
	said string      // the title of the run, if it stands above a question already
}

// attach returns a Progress that reports to to. Notices go there too until its End.
func (n *notices) attach(to ui.Progress) ui.Progress {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.to = to
	return &noticedProgress{to, n}
}

// titled records that a title has been printed, so that the run does not print it again.
func (n *notices) titled(title string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said = title
}

// attached reports whether a command with steps runs.
func (n *notices) attached() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.to != nil
}

// report reports a notice as an event of the running step, or of forge.CheckStep if a command with steps has none
// running. It returns false if there is no command with steps.
func (n *notices) report(kind pipeline.Kind, text string) bool {
	if n.to == nil {
		return false
	}
	n.to.Report(pipeline.Event{Kind: kind, Step: cmp.Or(n.step, forge.CheckStep), Line: text})
	return true
}

// noticedProgress is a Progress that also reports notices.
type noticedProgress struct {
	ui.Progress
	notices *notices
}

// Begin implements ui.Progress.
func (p *noticedProgress) Begin(title string) {
	p.notices.mu.Lock()
	defer p.notices.mu.Unlock()
	if title != p.notices.said {
		p.Progress.Begin(title)
	}
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
	if a.notices.step == "" || !a.notices.report(pipeline.Output, text) {
		_ = ui.PrintText(a.Streams.Err, text)
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
