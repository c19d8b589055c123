// Package complete finds the values that a shell offers for an argument or a flag. Whoever waits for one has pressed a key: what cannot be
// found in time is left out, and nothing that goes wrong is told.
package complete

import (
	"context"
	"slices"
	"strings"
	"unicode"
)

// Value is one that is offered, with a word on it.
type Value struct{ Text, About string }

// Within calls sources side by side, and returns in their order the values of those that are done before ctx is. Of equal texts the first is
// kept, and none that a shell would read as more than one word.
func Within(ctx context.Context, sources ...func(context.Context) []Value) []Value {
	found := make([]chan []Value, len(sources))
	for i, source := range sources {
		found[i] = make(chan []Value, 1) // who comes late need not wait for a taker
		go func() { found[i] <- source(ctx) }()
	}
	var all []Value
	for _, f := range found {
		select {
		case values := <-f:
			all = append(all, values...)
		case <-ctx.Done():
			select {
			case values := <-f: // done before, and looked at later
				all = append(all, values...)
			default:
			}
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(v Value) bool {
		drop := seen[v.Text] || v.Text == "" || strings.ContainsFunc(v.Text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
		seen[v.Text] = true
		return drop
	})
}

// Matching are the values that begin so.
func Matching(values []Value, begin string) []Value {
	return slices.DeleteFunc(values, func(v Value) bool { return !strings.HasPrefix(v.Text, begin) })
}

// Lines are the values as cobra's scripts take them. What a word on one holds is made harmless: it comes from elsewhere.
func Lines(values []Value) []string {
	lines := make([]string, 0, len(values))
	for _, v := range values {
		line := v.Text
		if about := strings.Join(strings.FieldsFunc(v.About, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " "); about != "" {
			line += "\t" + about
		}
		lines = append(lines, line)
	}
	return lines
}
