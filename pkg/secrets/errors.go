package secrets

import (
	"fmt"
	"strings"
)

// FileError reports a problem with an encrypted file, its key or its rules. It contains no secret value.
type FileError struct {
	Path, Problem, Advice string
	NoKey                 bool     // no key decrypts the file; the file itself may be fine
	Unasked               bool     // OpenLocally did not ask a key service, which may have the key
	Searched              []string // where norn searched for keys, each with the result
	Err                   error
}

// Error names the file and the problem.
func (e *FileError) Error() string { return e.Path + ": " + e.Problem }

// Hint returns the next step.
func (e *FileError) Hint() string { return e.Advice }

// Detail lists the places where norn searched for keys, one per line.
func (e *FileError) Detail() string {
	if len(e.Searched) == 0 {
		return ""
	}
	return "Searched for keys in:\n  " + strings.Join(e.Searched, "\n  ") + "\n"
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// HeldError reports that another process holds the lock on the file.
type HeldError struct{ Path string }

// Error names the file.
func (e *HeldError) Error() string { return "another norn process is writing " + e.Path }

// Hint returns the next step.
func (e *HeldError) Hint() string {
	return "wait for it to finish (norn secrets edit runs until its editor is closed), then run the command again"
}

// NameError reports that the file cannot contain a name.
type NameError struct{ Name, Problem string }

// Error quotes the name and states the problem.
func (e *NameError) Error() string { return fmt.Sprintf("%q %s", e.Name, e.Problem) }

// Hint returns the next step.
func (e *NameError) Hint() string {
	return "choose another name; norn secrets list shows the existing ones"
}
