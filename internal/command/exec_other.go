//go:build !unix

package command

import "errors"

// Exec has nothing to work with here.
func Exec(_, _ []string) error {
	return errors.New("this system cannot run a program in norn's place")
}
