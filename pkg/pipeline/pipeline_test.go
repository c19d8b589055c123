package pipeline

import (
	"bytes"
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

func TestRunAll(t *testing.T) {
	boom := errors.New("boom")
	r := &recorder{}
	made, err := RunAll(t.Context(), Runner{To: r}, []Step[int]{
		{Name: "first", Run: func(_ context.Context, out io.Writer) (int, Result, error) {
			for _, part := range []string{"a", "b\r\nc", "\n", "d"} { // lines are cut across writes
				if _, err := io.WriteString(out, part); err != nil {
					return 0, Result{}, err
				}
			}
			Warn(out, "%d e", 1)
			Wait(out, "f", []Pod{{Name: "p", State: "Running"}})
			return 1, Result{State: Created}, nil
		}},
		{Name: "second", Run: func(context.Context, io.Writer) (int, Result, error) { return 2, Result{State: Done}, boom }},
		{Name: "third", Run: mustNotRun(t, 3)},
	})
	if !errors.Is(err, boom) || !slices.Equal(made, []int{1, 2}) {
		t.Errorf("made %d, error %v", made, err)
	}
	want := []string{
		"started first", "output first ab", "output first c", "output first d", "warning first 1 e",
		"waiting first f[{p Running false false  0001-01-01 00:00:00 +0000 UTC}]",
		"ended first created", "started second", "ended second failed",
	}
	if !slices.Equal(r.events, want) {
		t.Errorf("events %q, want %q", r.events, want)
	}
}

func mustNotRun[T any](t *testing.T, made T) Func[T] {
	return func(context.Context, io.Writer) (T, Result, error) {
		t.Error("a step ran that must not")
		return made, Result{}, nil
	}
}

// A dry run plans each step, passes on the plan's value, and runs nothing. It omits a step without a plan.
func TestDryRun(t *testing.T) {
	steps := []Step[string]{
		{Name: "build", Run: mustNotRun(t, "built"), Plan: Fixed("planned", Planned, "would build")},
		{Name: "only real", Run: mustNotRun(t, "done")},
		{Name: "only dry", Plan: Fixed("", Planned, "")},
	}
	r := &recorder{}
	made, err := RunAll(t.Context(), Runner{To: r, Dry: true}, steps)
	if err != nil || !slices.Equal(made, []string{"planned", "", ""}) {
		t.Errorf("made %q, error %v", made, err)
	}
	want := []string{"started build", "ended build planned", "started only dry", "ended only dry planned"}
	if !slices.Equal(r.events, want) {
		t.Errorf("events %q, want %q", r.events, want)
	}
	if _, err := RunStep(t.Context(), Runner{To: r}, Step[string]{Name: "only dry", Plan: mustNotRun(t, "")}); err != nil {
		t.Error(err)
	}
}

// upper is a filter that holds back its text until Close.
type upper struct {
	io.Writer
	held []byte
}

func (u *upper) Write(p []byte) (int, error) { u.held = append(u.held, p...); return len(p), nil }

func (u *upper) Close() error { _, err := u.Writer.Write(bytes.ToUpper(u.held)); return err }

func TestFilter(t *testing.T) {
	r := &recorder{}
	filter := func(w io.Writer) io.WriteCloser { return &upper{Writer: w} }
	_, err := RunStep(t.Context(), Runner{To: r, Filter: filter}, Step[None]{
		Name: "first",
		Run: Act(func(_ context.Context, out io.Writer) (Result, error) {
			_, err := io.WriteString(out, "a\nb")
			Warn(out, "c")
			return Result{State: Done}, err
		}),
	})
	want := []string{"started first", "warning first c", "output first A", "output first B", "ended first done"}
	if err != nil || !slices.Equal(r.events, want) {
		t.Errorf("%v, events %q, want %q", err, r.events, want)
	}
}

func TestRunAllStopsBetweenSteps(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := RunAll(ctx, Runner{To: &recorder{}}, []Step[None]{
		{
			Name: "first",
			Run:  Act(func(context.Context, io.Writer) (Result, error) { cancel(); return Result{State: Done}, nil }),
		},
		{Name: "second", Run: mustNotRun(t, None{})},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A step that a signal ends is interrupted, not failed.
func TestInterruptedStep(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	r := &recorder{}
	signal := errors.New("interrupt signal received")
	_, err := RunStep(ctx, Runner{To: r}, Step[None]{Name: "first", Run: Act(func(
		ctx context.Context, _ io.Writer,
	) (Result, error) {
		cancel(signal)
		return Result{}, fmt.Errorf("the work continues in the cluster: %w", context.Cause(ctx))
	})})
	if want := []string{
		"started first", "ended first interrupted",
	}; !errors.Is(err, signal) || !slices.Equal(r.events, want) {
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

// lengths is a Reporter that adds up the lengths of lines.
type lengths int

func (l *lengths) Report(e Event) { *l += lengths(len(e.Line)) }
