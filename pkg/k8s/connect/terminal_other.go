//go:build !unix

package connect

import "errors"

// leaveTerminal is not supported on this system.
func leaveTerminal() error { return errors.New("a process cannot leave its console on this system") }

func endSession() {}
