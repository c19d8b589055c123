package ui

import (
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
)

// Redactor keeps secret values out of everything that is written through it: each becomes [redacted:NAME], also in the forms in
// which programs quote, escape or encode it (see forms). It is safe for concurrent use.
type Redactor struct {
	mu     sync.Mutex
	values map[string]map[string]bool // name to values
	now    atomic.Pointer[matcher]
}

// NewRedactor returns one that knows no values yet, and hides nothing.
func NewRedactor() *Redactor { return &Redactor{values: map[string]map[string]bool{}} }

// Hide makes value unreadable from now on. Values with fewer than 6 characters are left: they would be found everywhere.
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

// Text is a text that is whole, redacted. Where a text is cut or broken into lines to be shown, that comes after.
func (r *Redactor) Text(text string) string {
	m := r.now.Load()
	if m == nil {
		return text
	}
	out, _ := m.redact(nil, []byte(text), true)
	return string(out)
}

// Writer is w, redacted. What may be the beginning of a value is held back until it is known; Close writes it, and leaves w open.
func (r *Redactor) Writer(w io.Writer) io.WriteCloser { return &redacted{r: r, w: w} }

// Streams are s with both outputs redacted; see Flush.
func (r *Redactor) Streams(s Streams) Streams {
	return Streams{In: s.In, Out: &redacted{r: r, w: s.Out}, Err: &redacted{r: r, w: s.Err}}
}

// redacted is a writer behind a Redactor.
type redacted struct {
	r *Redactor
	w io.Writer

	mu   sync.Mutex
	held []byte // may be the beginning of a value
	out  []byte // is reused
}

// Write implements io.Writer. It reports p as written where w took all that is known to be harmless.
func (d *redacted) Write(p []byte) (int, error) {
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

// Close implements io.Closer: it writes what is held back.
func (d *redacted) Close() error {
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

// Flush writes what a stream holds back because it may be the beginning of a secret value: before a question is answered, and
// in the end.
func Flush(stream io.Writer) {
	if d, ok := stream.(*redacted); ok {
		_ = d.Close()
	}
}

// plainText is a text as the stream may show it.
func plainText(stream any, text string) string {
	if d, ok := stream.(*redacted); ok {
		return d.r.Text(text)
	}
	return text
}

// file is the file under a stream, or nil where there is none.
func file(stream any) *os.File {
	if d, ok := stream.(*redacted); ok {
		stream = d.w
	}
	f, _ := stream.(*os.File)
	return f
}
