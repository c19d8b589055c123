// Package signals ends norn after a signal. Cleanups may finish, but nothing else keeps norn from ending.
package signals

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"norn/pkg/k8s/lease"
)

// limit is how long norn may take to end after SIGTERM or SIGHUP, not counting its cleanups. A program that norn runs
// gets 5 seconds of it.
const limit = 15 * time.Second

// Context returns a context that ends at the first SIGINT, SIGTERM or SIGHUP. A second SIGINT or SIGTERM ends the
// process at once. If SIGTERM or SIGHUP has not ended the process in time, because a read or write is blocked, Context
// calls stuck with the reason. SIGINT has no such limit: whoever pressed Ctrl-C can press it again, and may have meant
// an editor. If SIGHUP follows, the limit begins with it. An ignored SIGHUP stays ignored, for nohup.
func Context(parent context.Context, stuck func(why error)) context.Context {
	first, hangups := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(first, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(first, syscall.SIGHUP)
		// When a terminal closes, its shell and the kernel may each send one. The second one must not end the process.
		signal.Notify(hangups, syscall.SIGHUP)
	}
	ctx, cancel := context.WithCancelCause(parent)
	d := &deadline{length: limit}
	go func() {
		got := <-first
		cancel(fmt.Errorf("%s signal received", got))
		signal.Stop(first)
		if got == os.Interrupt {
			got = <-hangups
		}
		d.start(func() {
			stuck(fmt.Errorf("a read or write is blocked; norn gave up %s after the signal (%s)", limit, got))
		})
	}()
	return lease.WithCleanups(ctx, d.pause)
}
