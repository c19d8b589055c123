// Command norn deploys apps to Kubernetes from their infraspec.yaml.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"norn/internal/cli/root"
	"norn/internal/ui"
)

func main() {
	debug.SetGCPercent(400) // a run is short and its heap is small; early collections would cost a tenth of the time
	// Catch SIGPIPE: a write to a closed pipe then fails with EPIPE, and norn can clean up. Child processes inherit an
	// ignored signal, but not a caught one.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal cancels ctx. After stop, a second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(root.Run(ctx, os.Args, ui.Standard()))
}
