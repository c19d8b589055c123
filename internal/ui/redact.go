package ui

import (
	"io"
	"os"

	"norn/internal/redact"
)

// Redacted returns s with both outputs redacted; see Flush.
func Redacted(s Streams, r *redact.Redactor) Streams {
	return Streams{In: s.In, Out: r.Writer(s.Out), Err: r.Writer(s.Err)}
}

// Flush writes what a stream holds back because it may be the beginning of a secret value: before a question is answered, and
// in the end.
func Flush(stream io.Writer) {
	if d, ok := stream.(*redact.Writer); ok {
		_ = d.Close()
	}
}

// plainText is a text as the stream may show it.
func redactText(stream any, text string) string {
	if d, ok := stream.(*redact.Writer); ok {
		return d.Text(text)
	}
	return text
}

// file is the file under a stream, or nil where there is none.
func osFile(stream any) *os.File {
	if d, ok := stream.(*redact.Writer); ok {
		stream = d.Unwrap()
	}
	f, _ := stream.(*os.File)
	return f
}
