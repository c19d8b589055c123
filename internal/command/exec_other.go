//go:build !unix

package command

import "errors"

// Exec returns an error: this system cannot replace a process.
func Exec(_, _ []string) error {
	return errors.New("this system cannot replace norn's process with another program")
}
