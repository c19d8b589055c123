// Command norn deploys apps to Kubernetes from their infraspec.yaml.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"norn/internal/cli"
	"norn/internal/cli/root"
	"norn/internal/cli/signals"
	"norn/internal/command"
	"norn/internal/ui"
)

func main() {
	command.Protect()
	debug.SetGCPercent(400) // a run is short and its heap is small; early collections would cost a tenth of the time
	// Catch SIGPIPE: a write to a closed pipe then fails with EPIPE, and norn can clean up. Child processes inherit an
	// ignored signal, but not a caught one.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx := signals.Context(context.Background(), func(why error) {
		go ui.PrintInterrupted(os.Stderr, why, nil)
		time.Sleep(time.Second) // stderr may be what is blocked
		os.Exit(cli.ExitInterrupted)
	})
	os.Exit(root.Run(ctx, os.Args, ui.Standard()))
}
