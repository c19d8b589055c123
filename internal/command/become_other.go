//go:build !unix

package command

import "errors"

// Become has nothing to work with here.
func Become(_, _ []string) error {
	return errors.New("this system cannot run a program in norn's place")
}
