package secrets

import (
	"fmt"
	"strings"
)

// FileError says what is wrong with an encrypted file, with the key for it, or with the rules that it is made by. It holds no value.
type FileError struct {
	Path, Problem, Advice string
	NoKey                 bool     // the file may be good: there is no key for it
	Searched              []string // where keys were searched for, and what was there
	Err                   error
}

// Error names the file and the problem.
func (e *FileError) Error() string { return e.Path + ": " + e.Problem }

// Hint is what to do about it.
func (e *FileError) Hint() string { return e.Advice }

// Detail is where keys were searched for, one place a line.
func (e *FileError) Detail() string {
	if len(e.Searched) == 0 {
		return ""
	}
	return "Keys were searched for in\n  " + strings.Join(e.Searched, "\n  ") + "\n"
}

func (e *FileError) Unwrap() error { return e.Err }

// HeldError says that somebody else is writing the file.
type HeldError struct{ Path string }

// Error names the file.
func (e *HeldError) Error() string { return "another norn is writing " + e.Path }

// Hint is what to do about it.
func (e *HeldError) Hint() string {
	return "wait until it has ended (norn secrets edit ends with its editor), then run the command again"
}

// NameError says that a name cannot stand in the file.
type NameError struct{ Name, Problem string }

// Error names it.
func (e *NameError) Error() string { return fmt.Sprintf("%q %s", e.Name, e.Problem) }

// Hint is what to do about it.
func (e *NameError) Hint() string {
	return "choose another name; norn secrets list shows those there are"
}
