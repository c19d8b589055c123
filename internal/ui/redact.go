package ui

import (
	"io"
	"os"

	"norn/internal/redact"
)

// Redacted returns s with both outputs redacted. Call Flush on them before the process ends, and then OutputError.
func Redacted(s Streams, r *redact.Redactor) Streams {
	return Streams{In: s.In, Out: r.Writer(&output{Writer: s.Out}), Err: r.Writer(s.Err)}
}

// Flush writes the text that a redacted stream holds back because it may be the beginning of a secret value. Call
// Flush before waiting for an answer, and at the end.
func Flush(stream io.Writer) {
	if w, ok := stream.(*redact.Writer); ok {
		_ = w.Close()
	}
}

// redactText returns text without the secret values that stream redacts.
func redactText(stream any, text string) string {
	if w, ok := stream.(*redact.Writer); ok {
		return w.Text(text)
	}
	return text
}

// redactLines returns a redactor of the lines of one text, with the secret values that stream redacts.
func redactLines(stream any) *redact.Lines {
	if w, ok := stream.(*redact.Writer); ok {
		return w.Lines()
	}
	return redact.New().Lines()
}

// osFile returns the file that a stream writes to or reads from, or nil.
func osFile(stream any) *os.File {
	if w, ok := stream.(*redact.Writer); ok {
		stream = w.Unwrap()
	}
	if o, ok := stream.(*output); ok {
		stream = o.Writer
	}
	f, _ := stream.(*os.File)
	return f
}
