//go:build !unix

package connect

import "errors"

// leaveTerminal returns an error: on this system, a process cannot leave its console.
func leaveTerminal() error { return errors.New("a process cannot leave its console on this system") }

func endSession() {}
