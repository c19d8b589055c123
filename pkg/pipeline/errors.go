package pipeline

import "fmt"

// UsageError says that what was asked for cannot be done as asked; nothing was begun.
type UsageError struct{ Problem, Advice string }

// Error is the problem.
func (e *UsageError) Error() string { return e.Problem }

// Hint is what to do about it.
func (e *UsageError) Hint() string { return e.Advice }

// ToolError says that a program which norn runs has failed. Its output, which is shown as it comes, says why.
type ToolError struct {
	Doing  string // what it was run for
	Err    error
	Advice string
}

// Error names the program and how it ended.
func (e *ToolError) Error() string { return fmt.Sprintf("%s: %v", e.Doing, e.Err) }

// Hint is where to look.
func (e *ToolError) Hint() string { return e.Advice }

func (e *ToolError) Unwrap() error { return e.Err }
