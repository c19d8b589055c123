// Command devcluster is a real single-node Kubernetes for demos and tests, in one binary: `devcluster up`
// starts it, and under the names in components.go it is each of the programs that it starts.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"norn/devcluster/internal/cli"
	"norn/devcluster/internal/state"
)

func main() {
	args := os.Args
	name := filepath.Base(args[0])
	if _, ok := components[name]; !ok && len(args) > 1 {
		name = args[1]
		if _, ok = components[name]; ok {
			args = args[1:]
			if name == "kubectl" {
				useOwnKubeconfig()
			}
		}
	}
	if start, ok := components[name]; ok {
		os.Args = args
		os.Exit(start(args))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := cli.New().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

// useOwnKubeconfig makes `devcluster kubectl` speak to the devcluster where nothing else is said.
func useOwnKubeconfig() {
	if os.Getenv("KUBECONFIG") != "" {
		return
	}
	if d, err := state.Open(""); err == nil {
		_ = os.Setenv("KUBECONFIG", d.Kubeconfig()) // can't fail for these two strings
	}
}
