// Command devcluster runs a real Kubernetes for demos and tests. The Kubernetes programs are in another binary in the
// same folder.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"norn/devcluster/internal/cli"
	"norn/devcluster/internal/process"
	"norn/devcluster/internal/state"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "kubectl" {
		fmt.Fprintln(os.Stderr, "Error:", kubectl(os.Args[1:]))
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := cli.New().ExecuteContext(ctx); err != nil {
		code := 1
		if exit := (*cli.ExitError)(nil); errors.As(err, &exit) {
			code = exit.Code
		} else {
			fmt.Fprintln(os.Stderr, "Error:", err)
		}
		stop()
		os.Exit(code) //nolint:gocritic // stop has run
	}
}

// kubectl replaces this process with kubectl. It returns only if that fails.
func kubectl(args []string) error {
	path, err := process.Program("kubernetes")
	if err != nil {
		return err
	}
	useOwnKubeconfig()
	if err := syscall.Exec(path, args, os.Environ()); err != nil { //nolint:gosec // the path is kubectl's
		return fmt.Errorf("start kubectl: %w", err)
	}
	return nil
}

// useOwnKubeconfig sets KUBECONFIG to the devcluster's kubeconfig unless it is set.
func useOwnKubeconfig() {
	if os.Getenv("KUBECONFIG") != "" {
		return
	}
	if d, err := state.Open(""); err == nil {
		_ = os.Setenv("KUBECONFIG", d.Kubeconfig()) // cannot fail for these strings
	}
}
