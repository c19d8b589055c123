package forge

import (
	"strings"

	"norn/pkg/forge/objects"
)

// conflictErrors holds the conflicts of several objects.
type conflictErrors []*objects.ConflictError

// Error returns the conflicts, one per line.
func (e conflictErrors) Error() string {
	lines := make([]string, 0, len(e))
	for _, c := range e {
		lines = append(lines, c.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each conflict.
func (e conflictErrors) Unwrap() []error {
	out := make([]error, 0, len(e))
	for _, c := range e {
		out = append(out, c)
	}
	return out
}

func (e conflictErrors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}
