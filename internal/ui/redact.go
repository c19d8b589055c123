package ui

import (
	"io"
	"os"

	"norn/internal/redact"
)

// Redacted returns s with both outputs redacted. Call Flush on them before the process ends.
func Redacted(s Streams, r *redact.Redactor) Streams {
	return Streams{In: s.In, Out: r.Writer(s.Out), Err: r.Writer(s.Err)}
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

// osFile returns the file that a stream writes to or reads from, or nil.
func osFile(stream any) *os.File {
	if w, ok := stream.(*redact.Writer); ok {
		stream = w.Unwrap()
	}
	f, _ := stream.(*os.File)
	return f
}
