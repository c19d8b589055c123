package forge

import (
	"strings"

	"norn/pkg/forge/objects"
)

// conflictErrors are all the objects that are in the way.
type conflictErrors []*objects.ConflictError

// Error names them, one a line.
func (e conflictErrors) Error() string {
	lines := make([]string, 0, len(e))
	for _, c := range e {
		lines = append(lines, c.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each of them.
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
