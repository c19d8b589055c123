package forge

import (
	"fmt"
	"slices"
	"strings"
)

// RefusedError reports that the API server would refuse the app's Pods or its workload. Nothing has been written.
type RefusedError struct{ Refused []RefusedObject }

// RefusedObject is what the API server refuses, why, and what to do about it.
type RefusedObject struct{ What, Message, Advice string }

// String returns the refusal in the words of the cluster.
func (r RefusedObject) String() string {
	return fmt.Sprintf("the cluster refuses %s: %s", r.What, r.Message)
}

// Error returns the refusals in the words of the cluster, one per line.
func (e *RefusedError) Error() string {
	lines := make([]string, 0, len(e.Refused))
	for _, r := range e.Refused {
		lines = append(lines, r.String())
	}
	return strings.Join(lines, "\n")
}

// Hint returns what to change.
func (e *RefusedError) Hint() string {
	var advice []string
	for _, r := range e.Refused {
		if !slices.Contains(advice, r.Advice) {
			advice = append(advice, r.Advice)
		}
	}
	return strings.Join(advice, "; ")
}
