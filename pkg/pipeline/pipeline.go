// Package pipeline runs named steps one after the other and tells a reporter what
// happens. It holds the only such loop; forge, teardown, deploy and rollback are lists of steps.
// A step must be idempotent: there is no memory of how far a run came but the cluster itself.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// State is what a step did.
type State string

// The states of a step's result.
const (
	Done       State = "done" // for steps that make no object
	Created    State = "created"
	Configured State = "configured"
	Unchanged  State = "unchanged"
	Deleted    State = "deleted"
	Skipped    State = "skipped"
	Planned    State = "planned" // for dry runs
	Failed     State = "failed"
	// Interrupted is the step that a signal has ended.
	Interrupted State = "interrupted"
)

// Result is what a step came to: its state and one line for people.
type Result struct {
	State  State
	Detail string
}

// Step is one idempotent act with a name.
type Step struct {
	Name string
	// Run does it. What it writes to out is the step's live output, shown line by line.
	Run func(ctx context.Context, out io.Writer) (Result, error)
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

// Kind tells the events apart.
type Kind string

// The kinds of events, in the order a step has them.
const (
	Started Kind = "started"
	Output  Kind = "output"
	Warned  Kind = "warning" // what a user should know though the step goes on
	Waiting Kind = "waiting" // what the step waits for
	Ended   Kind = "ended"
)

// Pod is one of those that a step waits for.
type Pod struct {
	Name  string `json:"name"`
	State string `json:"state"` // in kubectl's words, such as ContainerCreating
	Ready bool   `json:"ready"`
	Old   bool   `json:"old"` // whether it is on its way out
}

// Reporter is told what happens, in order, from one goroutine at a time.
type Reporter interface {
	Report(Event)
}

// Run does the steps in order. It stops at the first that fails or when ctx ends, and
// returns that step's error as it is: the step has said what was being done.
func Run(ctx context.Context, to Reporter, steps []Step) error {
	for _, s := range steps {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("before step %q: %w", s.Name, context.Cause(ctx))
		}
		to.Report(Event{Kind: Started, Step: s.Name})
		begin := time.Now()
		out := &output{to: to, step: s.Name}
		result, err := s.Run(ctx, out)
		out.flush()
		if err != nil {
			result.State = failure(ctx, err)
		}
		to.Report(Event{Kind: Ended, Step: s.Name, Result: result, Err: err, Duration: time.Since(begin)})
		if err != nil {
			return err
		}
	}
	return nil
}

// failure tells a step that has failed from one that was ended from outside.
func failure(ctx context.Context, err error) State {
	if ctx.Err() != nil && (errors.Is(err, context.Cause(ctx)) || errors.Is(err, ctx.Err())) {
		return Interrupted
	}
	return Failed
}

// Say tells a reporter a line of what is no step of its own, such as waiting for a lock.
func Say(to Reporter, step, line string) { to.Report(Event{Kind: Output, Step: step, Line: line}) }
