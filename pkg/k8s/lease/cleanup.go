package lease

import (
	"context"
	"time"
)

// The keys of context values: lifeKey of a context that ends with the lock, and beginKey of a func() func().
type lifeKey struct{}
type beginKey struct{}

// WithCleanups returns a context for CleanupContext: each cleanup calls begin when it begins, and end when it ends or
// its time is over.
func WithCleanups(ctx context.Context, begin func() (end func())) context.Context {
	return context.WithValue(ctx, beginKey{}, begin)
}

// Hold counts as a cleanup until release is called: that of other processes, which norn waits for.
func Hold(ctx context.Context) (release func()) {
	if begin, ok := ctx.Value(beginKey{}).(func() func()); ok {
		return begin()
	}
	return func() {}
}

// CleanupContext returns a context for a cleanup. The context ends with cancel, or after timeout, but not with a signal
// that ends ctx. Under a lock, it ends when the lock is lost, and refuses writes as soon as the lock may be lost.
func CleanupContext(ctx context.Context, timeout time.Duration) (cleanup context.Context, cancel context.CancelFunc) {
	parent := context.WithoutCancel(ctx)
	if life, ok := ctx.Value(lifeKey{}).(context.Context); ok {
		parent = life
	}
	cleanup, cancel = context.WithTimeout(parent, timeout)
	if begin, ok := ctx.Value(beginKey{}).(func() func()); ok {
		context.AfterFunc(cleanup, begin()) // even if the cleanup is blocked, such as in a write
	}
	return cleanup, cancel
}
