// Package complete finds the values that a shell offers for an argument or a flag. The user has just pressed a key and
// is waiting, so the package omits values that it cannot find in time, and reports no errors.
package complete

import (
	"context"
	"slices"
	"strings"
)

// Value is a completion and its description.
type Value struct{ Text, About string }

// Within calls sources in parallel. It returns the values of the sources that finish before ctx ends, in the order of
// the sources. It drops duplicates.
func Within(ctx context.Context, sources ...func(context.Context) []Value) []Value {
	found := make([]chan []Value, len(sources))
	for i, source := range sources {
		found[i] = make(chan []Value, 1) // a late source must not block
		go func() { found[i] <- source(ctx) }()
	}
	var all []Value
	for _, f := range found {
		select {
		case values := <-f:
			all = append(all, values...)
		case <-ctx.Done():
			select {
			case values := <-f: // done before ctx
				all = append(all, values...)
			default:
			}
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(v Value) bool {
		drop := seen[v.Text] || v.Text == ""
		seen[v.Text] = true
		return drop
	})
}

// Matching returns the values that begin with begin.
func Matching(values []Value, begin string) []Value {
	return slices.DeleteFunc(values, func(v Value) bool { return !strings.HasPrefix(v.Text, begin) })
}

// Lines returns the values in the format of cobra's scripts.
func Lines(values []Value) []string {
	lines := make([]string, 0, len(values))
	for _, v := range values {
		line := v.Text
		if v.About != "" {
			line += "\t" + v.About
		}
		lines = append(lines, line)
	}
	return lines
}
