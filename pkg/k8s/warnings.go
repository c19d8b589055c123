package k8s

import (
	"context"
	"sync"
)

type heldKey struct{}

// heldWarnings are warnings of the API server that wait.
type heldWarnings struct {
	mu   sync.Mutex
	pass []func()
}

// HoldWarnings returns a context for requests whose warnings wait until release is called. Warnings about what turns
// out to be refused repeat the refusal.
func HoldWarnings(ctx context.Context) (held context.Context, release func()) {
	h := &heldWarnings{}
	return context.WithValue(ctx, heldKey{}, h), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, pass := range h.pass {
			pass()
		}
		h.pass = nil
	}
}

// HoldWarning keeps a warning if a request's context holds them, and reports whether it does. pass passes it on.
func HoldWarning(ctx context.Context, pass func()) bool {
	h, ok := ctx.Value(heldKey{}).(*heldWarnings)
	if ok {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.pass = append(h.pass, pass)
	}
	return ok
}
