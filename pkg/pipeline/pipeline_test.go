package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
)

type recorder struct{ events []string }

func (r *recorder) Report(e Event) {
	text := fmt.Sprintf("%s %s", e.Kind, e.Step)
	switch e.Kind {
	case Started:
	case Output, Warned:
		text += " " + e.Line
	case Waiting:
		text += fmt.Sprint(" ", e.Line, e.Pods)
	case Ended:
		text += " " + string(e.Result.State)
	}
	r.events = append(r.events, text)
}

func TestRun(t *testing.T) {
	boom := errors.New("boom")
	r := &recorder{}
	err := Run(t.Context(), r, []Step{
		{"first", func(_ context.Context, out io.Writer) (Result, error) {
			for _, part := range []string{"a", "b\r\nc", "\n", "d"} { // lines are cut across writes
				if _, err := io.WriteString(out, part); err != nil {
					return Result{}, err
				}
			}
			Warn(out, "%d e", 1)
			Wait(out, "f", []Pod{{Name: "p", State: "Running"}})
			return Result{State: Created}, nil
		}},
		{"second", func(context.Context, io.Writer) (Result, error) { return Result{State: Done}, boom }},
		{"third", func(context.Context, io.Writer) (Result, error) { t.Error("the third step ran"); return Result{}, nil }},
	})
	if !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
	want := []string{"started first", "output first ab", "output first c", "output first d", "warning first 1 e", "waiting first f[{p Running false false}]", "ended first created", "started second", "ended second failed"}
	if !slices.Equal(r.events, want) {
		t.Errorf("events %q, want %q", r.events, want)
	}
}

func TestRunStopsBetweenSteps(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Run(ctx, &recorder{}, []Step{
		{"first", func(context.Context, io.Writer) (Result, error) { cancel(); return Result{State: Done}, nil }},
		{"second", func(context.Context, io.Writer) (Result, error) { t.Error("the second step ran"); return Result{}, nil }},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A step that a signal has ended has not failed.
func TestInterruptedStep(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	r := &recorder{}
	signal := errors.New("interrupt signal received")
	err := Run(ctx, r, []Step{{"first", func(ctx context.Context, _ io.Writer) (Result, error) {
		cancel(signal)
		return Result{}, fmt.Errorf("it goes on in the cluster: %w", context.Cause(ctx))
	}}})
	if want := []string{"started first", "ended first interrupted"}; !errors.Is(err, signal) || !slices.Equal(r.events, want) {
		t.Errorf("%v, events %q", err, r.events)
	}
}

func TestLongLineIsPassedOn(t *testing.T) {
	lengths := new(lengths)
	w := &output{to: lengths}
	for range 40 {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
		if len(w.rest) > maxLine+4096 {
			t.Fatalf("%d bytes are held", len(w.rest))
		}
	}
	w.flush()
	if *lengths != 40*4096 {
		t.Errorf("%d bytes came out", *lengths)
	}
}

// lengths adds up what it is told.
type lengths int

func (l *lengths) Report(e Event) { *l += lengths(len(e.Line)) }
