package redact

import (
	"io"
	"sync"
)

// filter redacts a text that comes in parts. It holds back a possible beginning of a value until more text arrives.
type filter struct {
	r    *Redactor
	held []byte // possible start of a value

	last       *matcher // the matcher of the last part
	resumption resumption
}

// redact appends the redacted text to dst. end says what follows in.
func (f *filter) redact(dst, in []byte, end ending) []byte {
	m := f.r.matcher()
	if len(f.held) > 0 {
		in = append(f.held, in...)
	}
	if m == nil {
		f.held = f.held[:0]
		return append(dst, in...)
	}
	if m != f.last {
		f.last, f.resumption = m, f.resumption.in(m)
	}
	s := scan{matcher: m, resumption: f.resumption, in: in, end: end, out: dst}
	rest := in[s.run():]
	f.resumption = s.resumption
	if end == nothing {
		f.resumption.active = false
	}
	// in may share the memory of held, which is kept for the next part unless it is large.
	if cap(f.held) > maxKept && len(rest) < maxKept {
		f.held = nil
	}
	f.held = append(f.held[:0], rest...)
	return s.out
}

// maxKept is the number of bytes of memory that a filter keeps between parts.
const maxKept = 64 << 10

// Writer redacts the text written to it. Close writes the text that it holds back.
type Writer struct {
	w io.Writer

	mu     sync.Mutex
	filter filter
	out    []byte // buffer, reused by each Write
}

// Write implements io.Writer. It returns len(p) even if it holds back a part of p.
func (d *Writer) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.filter.r.matcher() == nil {
		return d.w.Write(p)
	}
	d.out = d.filter.redact(d.out[:0], p, more)
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
	if len(d.filter.held) == 0 {
		return nil
	}
	_, err := d.w.Write(d.filter.redact(nil, nil, nothing))
	return err
}

// Text returns text with its values replaced.
func (d *Writer) Text(text string) string { return d.filter.r.Text(text) }

// Lines returns a *Lines that replaces the same values.
func (d *Writer) Lines() *Lines { return d.filter.r.Lines() }

// Unwrap returns the underlying writer.
func (d *Writer) Unwrap() io.Writer { return d.w }

// Lines redacts the lines of one text, such as a log. It returns each line at once, so it does not find a value that
// contains line breaks and only short lines.
type Lines struct {
	filter filter
	out    []byte
}

// Line returns a line, which comes without its line break, with its values replaced. The result is valid until the next
// call.
func (l *Lines) Line(text []byte) []byte { return l.redact(text, newline) }

// Part returns a part of a line. It may hold back the end of the part. Line takes the last part.
func (l *Lines) Part(text []byte) []byte { return l.redact(text, more) }

func (l *Lines) redact(text []byte, end ending) []byte {
	if l.filter.r.matcher() == nil {
		return text
	}
	l.out = l.filter.redact(l.out[:0], text, end)
	return l.out
}
