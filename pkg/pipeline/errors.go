package pipeline

import "fmt"

// UsageError reports a request that cannot be carried out as given. Nothing has been started.
type UsageError struct{ Problem, Advice string }

// Error returns the problem.
func (e *UsageError) Error() string { return e.Problem }

// Hint returns the advice.
func (e *UsageError) Hint() string { return e.Advice }

// ToolError reports that a program run by norn failed. norn shows the program's output, which has the cause, live.
type ToolError struct {
	Doing  string // what the program was for
	Err    error
	Advice string
}

// Error returns what the program was for and how it ended.
func (e *ToolError) Error() string { return fmt.Sprintf("%s: %v", e.Doing, e.Err) }

// Hint returns the advice.
func (e *ToolError) Hint() string { return e.Advice }

func (e *ToolError) Unwrap() error { return e.Err }
