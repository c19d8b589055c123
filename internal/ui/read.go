package ui

import "context"

// Read returns what read returns, or fails when ctx ends. A read of a terminal or pipe cannot be interrupted, but the
// wait for it can.
func Read[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		data T
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := read()
		done <- result{data, err}
	}()
	select {
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	case r := <-done:
		return r.data, r.err
	}
}
