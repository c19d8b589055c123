// Package pipeline runs named steps in order, or plans them, and reports what happens. Commands that change a cluster
// are made of steps. A step must be idempotent: only the cluster itself records how far a run came.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// State is the outcome of a step.
type State string

// The states of a step's result.
const (
	Done       State = "done" // for steps without an object
	Created    State = "created"
	Configured State = "configured"
	Unchanged  State = "unchanged"
	Deleted    State = "deleted"
	Skipped    State = "skipped"
	Planned    State = "planned" // for dry runs
	Failed     State = "failed"
	// Interrupted is the state of a step that a signal ended.
	Interrupted State = "interrupted"
)

// Result is the outcome of a step: its state, and one line for people.
type Result struct {
	State  State
	Detail string
}

// Step is an idempotent action with a name. It produces a value for later steps: a T, or None. A step declares its
// plan and its run together, so that a dry run has the same steps as a real run.
type Step[T any] struct {
	Name string
	Run  Func[T] // performs the step; if nil, a real run skips it
	Plan Func[T] // returns what Run would do and changes nothing; if nil, a dry run skips the step
}

// Func runs or plans a step. The text that it writes to out is the step's live output, reported line by line.
type Func[T any] func(ctx context.Context, out io.Writer) (T, Result, error)

// None is the value of a step that produces nothing for later steps.
type None struct{}

// Act returns a Func that calls do and produces no value.
func Act(do func(ctx context.Context, out io.Writer) (Result, error)) Func[None] {
	return func(ctx context.Context, out io.Writer) (None, Result, error) {
		result, err := do(ctx, out)
		return None{}, result, err
	}
}

// Fixed returns a Func that does nothing but return made and the given result.
func Fixed[T any](made T, state State, detail string) Func[T] {
	return func(context.Context, io.Writer) (T, Result, error) {
		return made, Result{State: state, Detail: detail}, nil
	}
}

// Event is something that happened in a run.
type Event struct {
	Kind     Kind
	Step     string
	Line     string        // for Output, Warned and Waiting
	Pods     []Pod         // for Waiting
	Result   Result        // for Ended
	Err      error         // for Ended in state Failed
	Duration time.Duration // for Ended
}

// Kind is the kind of an event.
type Kind string

// The kinds of events, in the order in which a step reports them.
const (
	Started Kind = "started"
	Output  Kind = "output"
	Warned  Kind = "warning" // a problem that does not stop the step
	Waiting Kind = "waiting" // what the step is waiting for
	Failing Kind = "failing" // the step has failed and is cleaning up
	Ended   Kind = "ended"
)

// Pod is a Pod that a step is waiting for.
type Pod struct {
	Name  string `json:"name"`
	State string `json:"state"` // in kubectl's terms, such as ContainerCreating
	Ready bool   `json:"ready"`
	Old   bool   `json:"old"` // belongs to the previous version

	// Node and Since, of a Pod that ends, are its node and when it began to end, by the cluster's clock.
	Node  string    `json:"node,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// Reporter receives the events of a run in order, from one goroutine at a time.
type Reporter interface {
	Report(Event)
}

// Runner runs steps, or plans them.
type Runner struct {
	To     Reporter
	Dry    bool                             // plans the steps
	Filter func(w io.Writer) io.WriteCloser // if not nil, filters each step's output before it is split into lines
}

// RunStep runs s and returns its value. If ctx has ended, it returns an error without starting s. It returns an error
// of s unchanged, because that error already names the failed action.
func RunStep[T any](ctx context.Context, r Runner, s Step[T]) (T, error) {
	var none T
	do := s.Run
	if r.Dry {
		do = s.Plan
	}
	if do == nil {
		return none, nil
	}
	if ctx.Err() != nil {
		return none, fmt.Errorf("before step %q: %w", s.Name, context.Cause(ctx))
	}
	r.To.Report(Event{Kind: Started, Step: s.Name})
	begin := time.Now()
	out, end := r.output(s.Name)
	made, result, err := do(ctx, out)
	end()
	if err != nil {
		result.State = failure(ctx, err)
	}
	r.To.Report(Event{Kind: Ended, Step: s.Name, Result: result, Err: err, Duration: time.Since(begin)})
	return made, err
}

// RunAll runs steps in order and returns their values. It stops at the first error. The last value is then that of the
// failed step.
func RunAll[T any](ctx context.Context, r Runner, steps []Step[T]) ([]T, error) {
	made := make([]T, 0, len(steps))
	for _, s := range steps {
		m, err := RunStep(ctx, r, s)
		made = append(made, m)
		if err != nil {
			return made, err
		}
	}
	return made, nil
}

// failure returns the state of a step that ended with an error: Interrupted if a signal caused it, otherwise Failed.
func failure(ctx context.Context, err error) State {
	if ctx.Err() != nil && (errors.Is(err, context.Cause(ctx)) || errors.Is(err, ctx.Err())) {
		return Interrupted
	}
	return Failed
}

// Say reports a line that belongs to no step, such as the wait for a lock.
func Say(to Reporter, step, line string) {
	// A Reporter removes what precedes a carriage return.
	to.Report(Event{Kind: Output, Step: step, Line: strings.ReplaceAll(line, "\r", " ")})
}
