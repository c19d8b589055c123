package ui

import (
	"io"
	"sync"

	"norn/internal/redact"
)

// output is standard output. It remembers the first error, because most prints cannot return one, and a run goes on
// without its output.
type output struct {
	io.Writer

	mu  sync.Mutex
	err error
}

// Write implements io.Writer. Whenever a write fails, it returns the first error.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if err == nil {
		return n, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
	return n, o.err
}

// OutputError returns the first error of a write to the standard output of Redacted.
func OutputError(s Streams) error {
	w, ok := s.Out.(*redact.Writer)
	if !ok {
		return nil
	}
	o, ok := w.Unwrap().(*output)
	if !ok {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}
