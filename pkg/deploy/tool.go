package deploy

import "fmt"

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
