package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
)

// StartError reports a program that could not be started.
type StartError struct {
	Name string
	Err  error
}

// Error names the program and the cause.
func (e *StartError) Error() string {
	switch {
	case errors.Is(e.Err, exec.ErrNotFound):
		return fmt.Sprintf("command %q not found in PATH", e.Name)
	case e.missing():
		return fmt.Sprintf("command %q does not exist", e.Name)
	}
	cause := e.Err
	if lookup, ok := errors.AsType[*exec.Error](cause); ok {
		cause = lookup.Err // the error already has the name
	}
	return fmt.Sprintf("command %q cannot be executed: %v", e.Name, cause)
}

// Hint returns the next step.
func (e *StartError) Hint() string {
	if e.missing() {
		return "check the name and PATH"
	}
	return "check that it is a program with execute permission"
}

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }

// Code returns the exit code of a shell (POSIX Shell Command Language, 2.8.2 Exit Status for Commands).
func (e *StartError) Code() int {
	if e.missing() {
		return 127
	}
	return 126
}

func (e *StartError) missing() bool {
	return errors.Is(e.Err, exec.ErrNotFound) || errors.Is(e.Err, fs.ErrNotExist)
}
