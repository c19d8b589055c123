// Package redact replaces secret values in a stream of text. It knows no norn package: values come in through Hide, and
// everything that norn prints or saves goes through a Writer.
package redact

import (
	"io"
	"slices"
	"sync"
	"sync/atomic"
)

// Redactor replaces each secret value that it knows with [redacted:NAME] in all that is written through it. It also
// finds a value that a program has quoted, escaped or encoded (see forms). It is safe for concurrent use.
type Redactor struct {
	mu     sync.Mutex
	values map[string]map[string]bool // name to values
	now    atomic.Pointer[matcher]
}

// New returns a Redactor that knows no values yet and hides nothing.
func New() *Redactor { return &Redactor{values: map[string]map[string]bool{}} }

// Hide replaces value from now on. It ignores values with fewer than 6 characters, which would match everywhere.
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
	r.now.Store(newMatcher(patterns))
}

// Text returns text without the values. Cut or wrap a text only after this: a part of a value is not recognized.
func (r *Redactor) Text(text string) string {
	m := r.now.Load()
	if m == nil {
		return text
	}
	out, _ := m.redact(nil, []byte(text), true)
	return string(out)
}

// Writer returns a *Writer that redacts what it passes on to w.
func (r *Redactor) Writer(w io.Writer) io.WriteCloser { return &Writer{r: r, w: w} }

// Writer redacts what is written to it. It holds back what may be the beginning of a value until it has seen enough to
// tell; Close writes the rest.
type Writer struct {
	r *Redactor
	w io.Writer

	mu   sync.Mutex
	held []byte // may be the beginning of a value
	out  []byte // is reused
}

// Write implements io.Writer. It reports p as written if the underlying writer took the part that is known to be
// harmless.
func (d *Writer) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.r.now.Load()
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

// Close writes what is held back. The underlying writer stays open, and the Writer can be used again.
func (d *Writer) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.held) == 0 {
		return nil
	}
	held := slices.Clone(d.held)
	d.held = d.held[:0]
	if m := d.r.now.Load(); m != nil {
		held, _ = m.redact(nil, held, true)
	}
	_, err := d.w.Write(held)
	return err
}

// Text returns text without the values.
func (d *Writer) Text(text string) string { return d.r.Text(text) }

// Unwrap returns the underlying writer.
func (d *Writer) Unwrap() io.Writer { return d.w }
