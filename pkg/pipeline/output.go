package pipeline

import (
	"bytes"
	"fmt"
	"io"
)

// StepWriter is implemented by the io.Writer that a step gets. A writer that wraps it implements it too.
type StepWriter interface {
	// Warn reports a problem that does not stop the step.
	Warn(text string)
	// Wait reports what the step is waiting for, and the state of its Pods.
	Wait(text string, pods []Pod)
	// Fail reports that the step has failed and is cleaning up. Its output so far explains the failure.
	Fail()
}

// Warn calls out's Warn, or writes a line if out is not a StepWriter.
func Warn(out io.Writer, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if t, ok := out.(StepWriter); ok {
		t.Warn(text)
		return
	}
	_, _ = fmt.Fprintln(out, "warning: "+text)
}

// Wait calls out's Wait, or writes a line if out is not a StepWriter.
func Wait(out io.Writer, text string, pods []Pod) {
	if t, ok := out.(StepWriter); ok {
		t.Wait(text, pods)
		return
	}
	_, _ = fmt.Fprintln(out, text)
}

// Fail calls out's Fail if out is a StepWriter.
func Fail(out io.Writer) {
	if t, ok := out.(StepWriter); ok {
		t.Fail()
	}
}

// output returns the writer for a step's output, and a function to call at the end.
func (r Runner) output(step string) (out io.Writer, end func()) {
	o := &output{to: r.To, step: step}
	if r.Filter == nil {
		return o, o.flush
	}
	f := filtered{r.Filter(o), o}
	return f, func() {
		_ = f.Close() // a Reporter cannot fail
		o.flush()
	}
}

// filtered is a step's output behind a filter. Warnings and waits bypass the filter: they are whole lines, and the
// Reporter filters them.
type filtered struct {
	io.WriteCloser
	step *output
}

// Warn implements StepWriter.
func (f filtered) Warn(text string) { f.step.Warn(text) }

// Wait implements StepWriter.
func (f filtered) Wait(text string, pods []Pod) { f.step.Wait(text, pods) }

// Fail implements StepWriter.
func (f filtered) Fail() {
	_ = f.Close() // flushes it; a Reporter cannot fail
	f.step.Fail()
}

// output is a step's output, reported line by line. Like os/exec and the steps, only one goroutine at a time may use
// it.
type output struct {
	to   Reporter
	step string
	rest []byte
}

// maxLine is the maximum number of bytes buffered for an unfinished line.
const maxLine = 64 << 10

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.rest = append(o.rest, p...)
	for {
		i := bytes.IndexByte(o.rest, '\n')
		if i < 0 {
			if len(o.rest) > maxLine {
				o.flush()
			}
			return len(p), nil
		}
		o.emit(bytes.TrimSuffix(o.rest[:i], []byte("\r")))
		o.rest = o.rest[i+1:]
	}
}

func (o *output) emit(line []byte) {
	o.to.Report(Event{Kind: Output, Step: o.step, Line: string(line)})
}

func (o *output) flush() {
	if len(o.rest) > 0 {
		o.emit(o.rest)
		o.rest = nil
	}
}

// Warn implements StepWriter.
func (o *output) Warn(text string) {
	o.flush()
	o.to.Report(Event{Kind: Warned, Step: o.step, Line: text})
}

// Wait implements StepWriter.
func (o *output) Wait(text string, pods []Pod) {
	o.flush()
	o.to.Report(Event{Kind: Waiting, Step: o.step, Line: text, Pods: pods})
}

// Fail implements StepWriter.
func (o *output) Fail() {
	o.flush()
	o.to.Report(Event{Kind: Failing, Step: o.step})
}
