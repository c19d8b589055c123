package pipeline

import "errors"

// HintOf returns what to do about an error: the hint of the first error in its chain that has one, or "".
func HintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}
