// Package doctor examines what norn needs on this machine and of the cluster, and says of each thing how it is and what to do. It only looks:
// nothing is written anywhere.
package doctor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"norn/internal/config"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// State is how something is.
type State string

// The states of a check.
const (
	OK      State = "ok"
	Warning State = "warning" // it may matter, and stops nothing that was asked about
	Problem State = "problem"
	Skipped State = "skipped" // not examined, and the detail says why
)

// Verdict is what a check came to.
type Verdict struct {
	State  State    `json:"state"`
	Detail string   `json:"detail"`
	More   []string `json:"more,omitempty"` // further lines
	Hint   string   `json:"hint,omitempty"` // what to do
}

// Result is a verdict with its check's name.
type Result struct {
	Name string `json:"name"`
	Verdict
	// NoCluster is set where the check was skipped since there is no cluster to ask.
	NoCluster bool `json:"-"`
}

// Subject is what is examined.
type Subject struct {
	Config    *config.Config
	ConfigErr error  // what is wrong with the settings, if anything is
	App       string // as the command line has it; "" is the app here or above, if there is one
	Here      string // the current folder
	// Connect makes the connection to the cluster; where there is none to use it returns an *k8s.UnavailableError.
	Connect func(ctx context.Context) (*k8s.Client, error)
	Wait    time.Duration             // how long each check may take; 0 is each one's own
	Hide    func(name, value string)  // is told each secret value before anything could print it
	Dead    func(process string) bool // reports whether a process of this machine, as a lock names it, has ended
}

// How long checks may take where Subject.Wait does not say.
const (
	usualWait = 5 * time.Second
	longWait  = 15 * time.Second // of what may have to ask something that is far away, or to wake an engine
)

// clusterCheck is the check that others wait for.
const clusterCheck = "cluster"

// check is one thing to examine.
type check struct {
	name    string
	cluster bool          // takes one
	wait    time.Duration // 0 is usualWait
	run     func(ctx context.Context) Verdict
}

// examination is one run over a subject.
type examination struct {
	Subject
	spec         *infraspec.Spec // nil where there is none, or none that can be used
	specErr      error
	specWarnings int

	settled   sync.Once
	connected chan struct{} // closed when the next two are settled
	client    *k8s.Client   // nil where there is none
	server    *k8s.Server

	builderOnce sync.Once
	builder     toolAnswer
}

// Examine runs all checks side by side, and reports each in its turn, as soon as it and those before it are done. It ends at once with ctx.
func Examine(ctx context.Context, s Subject, report func(Result)) ([]Result, error) {
	e := &examination{Subject: s, connected: make(chan struct{})}
	checks := e.checks()
	done := make([]chan Result, len(checks))
	for i, c := range checks {
		done[i] = make(chan Result, 1)
		go func() { done[i] <- e.perform(ctx, c) }()
	}
	results := make([]Result, 0, len(checks))
	for _, one := range done {
		select {
		case r := <-one:
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			results = append(results, r)
			report(r)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return results, nil
}

// checks are all that there is to examine, those that need the cluster together. The app's secret values are known before anything is reported that
// another program said.
func (e *examination) checks() []check {
	list := []check{{name: "settings", run: e.settings}}
	if e.findSpec(); e.spec != nil || e.specErr != nil {
		list = append(list, check{name: "infraspec", run: e.infraspec})
	}
	list = append(list,
		check{name: clusterCheck, wait: e.clusterWait(), run: e.cluster},
		check{name: "version", cluster: true, run: e.version},
		check{name: "clock", cluster: true, run: e.clock},
		check{name: "credentials", cluster: true, run: e.credentials},
		check{name: "namespace", cluster: true, run: e.namespace},
		check{name: "permissions", cluster: true, run: e.permissions},
	)
	if e.spec != nil {
		list = append(list, check{name: "tunnel", cluster: true, run: e.tunnel}, check{name: "lock", cluster: true, run: e.lock})
	}
	list = append(list,
		check{name: "secrets", wait: longWait, run: e.secrets},
		check{name: "builder", wait: longWait, run: e.builds},
		check{name: "registry", wait: longWait, run: e.registry},
		check{name: "git", run: e.git},
	)
	if e.spec != nil {
		list = append(list, check{name: "snapshots", run: e.snapshots})
	}
	return list
}

// perform runs one check within its time.
func (e *examination) perform(ctx context.Context, c check) Result {
	if c.cluster {
		select {
		case <-e.connected:
		case <-ctx.Done():
			return Result{}
		}
		if e.client == nil {
			return Result{Name: c.name, Verdict: Verdict{State: Skipped, Detail: "it needs the cluster"}, NoCluster: true}
		}
	}
	wait := usualWait
	if c.wait > 0 {
		wait = c.wait
	}
	if e.Wait > 0 && c.name != clusterCheck {
		wait = e.Wait
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	v := within(ctx, wait, c.run)
	if c.name == clusterCheck {
		e.settle(nil, nil)
	}
	return Result{Name: c.name, Verdict: v}
}

// within runs a check that may not heed its context. One that found a problem when its time was over had no time to find out.
func within(ctx context.Context, wait time.Duration, run func(context.Context) Verdict) Verdict {
	done := make(chan Verdict, 1)
	go func() { done <- run(ctx) }()
	late := Verdict{State: Problem, Detail: fmt.Sprintf("there was no answer within %s", wait), Hint: "try again, or wait longer with --request-timeout"}
	select {
	case v := <-done:
		if v.State == Problem && ctx.Err() != nil {
			return late
		}
		return v
	case <-ctx.Done():
		return late
	}
}

// Count is how many results have a state.
func Count(results []Result, state State) int {
	n := 0
	for _, r := range results {
		if r.State == state {
			n++
		}
	}
	return n
}

func ok(format string, args ...any) Verdict {
	return Verdict{State: OK, Detail: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) Verdict {
	return Verdict{State: Skipped, Detail: fmt.Sprintf(format, args...)}
}

func warning(hint, format string, args ...any) Verdict {
	return Verdict{State: Warning, Detail: fmt.Sprintf(format, args...), Hint: hint}
}

func problem(hint, format string, args ...any) Verdict {
	return Verdict{State: Problem, Detail: fmt.Sprintf(format, args...), Hint: hint}
}
