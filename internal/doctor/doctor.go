// Package doctor checks this machine and the cluster for everything that norn needs, and says how to fix each problem.
// It never writes.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"norn/internal/config"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// State is the result of a check.
type State string

// The states of a check.
const (
	OK      State = "ok"
	Warning State = "warning" // a possible problem that stops nothing
	Problem State = "problem"
	Skipped State = "skipped" // not checked; the detail says why
)

// Verdict is the outcome of a check.
type Verdict struct {
	State  State    `json:"state" redact:"-"`
	Detail string   `json:"detail"`
	More   []string `json:"more,omitempty"` // further lines
	Hint   string   `json:"hint,omitempty"` // what to do
}

// Result is a verdict with the name of its check.
type Result struct {
	Name string `json:"name" redact:"-"`
	Verdict
	// NoCluster is whether the check was skipped because no cluster is available.
	NoCluster bool `json:"-"`
}

// Subject is what Examine checks.
type Subject struct {
	Config    *config.Config
	ConfigErr error  // the error of the settings, or nil
	App       string // from the command line; "" is the app in Here or above, if any
	Here      string // the current folder
	// Connect connects to the cluster. If no cluster can be used, it returns a *connect.UnavailableError.
	Connect func(ctx context.Context) (*k8s.Client, error)
	Wait    time.Duration // how long each check may take; 0 is the check's default
	// PluginWait is how long Connect waits for a credential plugin.
	PluginWait time.Duration
	Hide       func(name, value string)  // must hide a secret value in all output from then on
	Dead       func(process string) bool // see lease.Holder.Dead
}

// How long things may take without Subject.Wait.
const (
	checkWait  = 15 * time.Second // a check: most send several requests, ask remote services or start an engine
	answerWait = 5 * time.Second  // one of the two requests that connect to the cluster
)

// clusterCheck is the name of the check for which others wait.
const clusterCheck = "cluster"

// check is a named check.
type check struct {
	name    string
	cluster bool          // whether it needs the cluster
	wait    time.Duration // 0 is Subject.Wait or checkWait
	run     func(ctx context.Context) Verdict
}

// examination runs all checks of a subject.
type examination struct {
	Subject
	spec         *infraspec.Spec // nil if there is none, or it is invalid
	specErr      error
	specWarnings int

	published sync.Once
	connected chan struct{} // closed when client and server are set
	client    *k8s.Client   // nil without a cluster
	server    *k8s.Server

	builderOnce sync.Once
	builder     toolAnswer
}

// Examine runs all checks concurrently and reports their results in a fixed order, each as soon as possible. If ctx
// ends, Examine returns at once with an error.
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

// checks returns all checks in their order. The checks that need the cluster are together. The secrets check precedes
// the checks that report other programs' output, so that secret values are hidden by then.
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
	if e.spec != nil && hasClaims(e.spec) {
		list = append(list, check{name: "volumes", cluster: true, run: e.volumes})
	}
	if e.spec != nil {
		list = append(list, check{name: "admission", cluster: true, run: e.admission},
			e.routeCheck(),
			check{name: "reach", cluster: true, wait: e.reachWait(), run: e.reach},
			check{name: "lock", cluster: true, run: e.lock})
	}
	list = append(list,
		check{name: "secrets", run: e.secrets},
		check{name: "builder", run: e.builds},
		check{name: "registry", run: e.registry},
		check{name: "git", run: e.git},
	)
	if e.spec != nil {
		list = append(list, check{name: "snapshots", run: e.snapshots})
	}
	return list
}

// perform runs one check within its time limit.
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
	wait := cmp.Or(c.wait, e.Wait, checkWait)
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	v := within(ctx, wait, c.run)
	if c.name == clusterCheck {
		e.publish(nil, nil)
	}
	return Result{Name: c.name, Verdict: v}
}

// within runs a check that may ignore its context. A problem reported after the time limit counts as a timeout.
func within(ctx context.Context, wait time.Duration, run func(context.Context) Verdict) Verdict {
	done := make(chan Verdict, 1)
	go func() { done <- run(ctx) }()
	late := problem("try again, or raise --request-timeout", "no answer within %s", wait)
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

// Count returns the number of results with a state.
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
