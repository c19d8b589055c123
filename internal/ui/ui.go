// Package ui prints everything that norn prints. Its rules:
//
//   - Results go to stdout, progress and errors to stderr. A pipe on stdout gets results only.
//   - An error is "Error: " and what failed, followed by "Reason: " and "Hint: " lines if the error has them.
//   - With -o json, stdout carries one JSON object a line and nothing else.
//   - A terminal gets colors, and below the finished steps the running one, redrawn in place (progress_terminal.go).
//     Anything else gets plain lines, one a change and one for each 30 seconds of silence (progress_lines.go).
//   - Lines in a CI job's log have timestamps, and the output of steps can be folded (ci.go). If the environment names
//     a file for the job's summary, norn appends one (ci_summary.go).
//   - A successful step leaves one line and its warnings. A failed step also leaves its last output. -v keeps all
//     output; -q prints only warnings and failures.
//   - NO_COLOR and TERM=dumb turn colors off, CLICOLOR_FORCE turns them on.
//   - Text from files and from the cluster is printed without control characters.
//   - A line wider than the terminal is broken between words. In a pipe it stays whole.
//   - A secret value that norn has decrypted is printed as [redacted:NAME], in any encoding and on every stream.
//     Text is redacted before it is cut or wrapped, and again when it is written.
//   - Step output is indented under its step. Only what steps return or write is printed.
package ui

import (
	"io"
	"os"
)

// Streams holds the three standard streams of a command.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Standard returns the process's own streams.
func Standard() Streams { return Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr} }
