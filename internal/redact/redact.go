// Package redact replaces secret values in a stream of text. Callers register values with Hide, and write everything
// that norn prints or saves through a Writer.
package redact

import (
	"io"
	"slices"
	"sync"
	"sync/atomic"
)

// Redactor replaces secret values with [redacted:NAME]. It also finds a value that a program has quoted, escaped or
// encoded (see forms). It is safe for concurrent use.
type Redactor struct {
	mu      sync.Mutex
	values  map[string]map[string]bool // name to values
	matcher atomic.Pointer[matcher]    // of all values
}

// New returns a Redactor without values.
func New() *Redactor { return &Redactor{values: map[string]map[string]bool{}} }

// Hide adds a value. It ignores a value with fewer than 6 characters, which would match everywhere.
func (r *Redactor) Hide(name, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values[name][value] {
		return
	}
	if r.values[name] == nil {
		r.values[name] = map[string]bool{}
	}
	r.values[name][value] = true
	var patterns []pattern
	for name, values := range r.values {
		for v := range values {
			patterns = append(patterns, forms(name, v)...)
			patterns = append(patterns, forms(name, password(v))...)
		}
	}
	r.matcher.Store(newMatcher(patterns))
}

// Text returns text with its values replaced. Truncate or wrap a text only after that, because Text does not recognize
// parts of a value.
func (r *Redactor) Text(text string) string {
	m := r.matcher.Load()
	if m == nil {
		return text
	}
	out, _ := m.redact(nil, []byte(text), true)
	return string(out)
}

// Writer returns a *Writer that writes redacted text to w.
func (r *Redactor) Writer(w io.Writer) io.WriteCloser { return &Writer{r: r, w: w} }

// Writer redacts the text written to it. It holds back a possible beginning of a value until more text arrives. Close
// writes the rest.
type Writer struct {
	r *Redactor
	w io.Writer

	mu   sync.Mutex
	held []byte // possible start of a value
	out  []byte // buffer, reused by each Write
}

// Write implements io.Writer. It returns len(p) even if it holds back a part of p.
func (d *Writer) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.r.matcher.Load()
	if m == nil {
		return d.w.Write(p)
	}
	in := p
	if len(d.held) > 0 {
		in = slices.Concat(d.held, p)
	}
	var rest []byte
	d.out, rest = m.redact(d.out[:0], in, false)
	d.held = append(d.held[:0], rest...)
	if len(d.out) == 0 {
		return len(p), nil
	}
	if _, err := d.w.Write(d.out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close writes the text that is held back. It does not close the underlying writer, and the Writer can be used again.
func (d *Writer) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.held) == 0 {
		return nil
	}
	held := slices.Clone(d.held)
	d.held = d.held[:0]
	if m := d.r.matcher.Load(); m != nil {
		held, _ = m.redact(nil, held, true)
	}
	_, err := d.w.Write(held)
	return err
}

// Text returns text with its values replaced.
func (d *Writer) Text(text string) string { return d.r.Text(text) }

// Unwrap returns the underlying writer.
func (d *Writer) Unwrap() io.Writer { return d.w }
