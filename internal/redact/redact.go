// Package redact replaces secret values in a stream of text. Callers register values with Hide, and write everything
// that norn prints or saves through a Writer.
//
// A value has many forms (forms.go): as it is, in quotes and escapes (escapes.go, shell.go, markup.go), in base64 and
// in hexadecimal (encodings.go). A matcher finds all forms of all values in one pass (match.go, scan.go), also
// encodings that are broken into lines (broken.go).
package redact

import (
	"io"
	"sync"
	"sync/atomic"
)

// Redactor replaces secret values with [redacted:NAME]. It also finds a value that a program has quoted, escaped or
// encoded (see forms). It is safe for concurrent use.
type Redactor struct {
	latest atomic.Pointer[matcher] // nil without values
	stale  atomic.Bool             // there are values that latest does not know

	mu       sync.Mutex
	known    map[[2]string]bool // names and values
	added    [][2]string        // entries of known that patterns lacks
	patterns []pattern
}

// New returns a Redactor without values.
func New() *Redactor { return &Redactor{known: map[[2]string]bool{}} }

// Hide adds a value. It ignores a value with fewer than 6 characters, which would match everywhere. Hide is cheap: the
// next text that is redacted has the cost of all values that were added before it.
func (r *Redactor) Hide(name, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if entry := [2]string{name, value}; !r.known[entry] {
		r.known[entry] = true
		r.added = append(r.added, entry)
		r.stale.Store(true)
	}
}

// matcher returns a matcher of all values, or nil.
func (r *Redactor) matcher() *matcher {
	if !r.stale.Load() {
		return r.latest.Load()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.added) > 0 {
		for _, entry := range r.added {
			name, value := entry[0], entry[1]
			r.patterns = append(r.patterns, forms(name, value)...)
			r.patterns = append(r.patterns, forms(name, password(value))...)
		}
		r.added = nil
		r.latest.Store(newMatcher(r.patterns))
		r.stale.Store(false)
	}
	return r.latest.Load()
}

// Text returns text with its values replaced. Truncate, wrap or style a text only after that, because Text does not
// recognize parts of a value.
func (r *Redactor) Text(text string) string {
	if r.matcher() == nil {
		return text
	}
	f := filter{r: r}
	return string(f.redact(nil, []byte(text), nothing))
}

// Writer returns a *Writer that writes redacted text to w.
func (r *Redactor) Writer(w io.Writer) io.WriteCloser { return &Writer{filter: filter{r: r}, w: w} }

// Lines returns a *Lines for one text.
func (r *Redactor) Lines() *Lines { return &Lines{filter: filter{r: r}} }
