package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"norn/devcluster/internal/node"
	"norn/devcluster/internal/process"
	"norn/devcluster/internal/state"
)

// The states of a node.
const (
	Running  = "running"
	Frozen   = "frozen"
	Starting = "starting"
	Off      = "off"
)

// NodeState returns the state of a node.
func NodeState(d *state.Dir, n node.Node) string {
	if isOff(d, n) {
		return Off
	}
	agents, err := agents(d, n)
	switch {
	case err != nil || len(agents) < len(agentNames):
		return Starting
	case slices.ContainsFunc(agents, func(p process.Process) bool { return p.State == 'T' }):
		return Frozen
	default:
		return Running
	}
}

// Stop kills everything that runs on a node. The node stays off until Start.
func Stop(d *state.Dir, n node.Node) error {
	file := offFile(d, n)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644)); err != nil {
		return fmt.Errorf("stop %s: %w", n.Name(), err)
	}
	first, err := First(d, n.Name())
	if err != nil {
		return nil //nolint:nilerr // it is already off
	}
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop %s: %w", n.Name(), err)
	}
	for deadline := time.Now().Add(10 * time.Second); syscall.Kill(first, 0) == nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("stop %s: the first process (pid %d) does not end", n.Name(), first)
		}
	}
	return nil
}

// Start starts a stopped node.
func Start(d *state.Dir, n node.Node) error {
	if err := os.Remove(offFile(d, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("start %s: %w", n.Name(), err)
	}
	return nil
}

// Freeze pauses a node's kubelet and container runtime. The containers continue to run.
func Freeze(ctx context.Context, d *state.Dir, n node.Node) error {
	return signal(ctx, d, n, syscall.SIGSTOP)
}

// Thaw resumes a node's kubelet and container runtime.
func Thaw(ctx context.Context, d *state.Dir, n node.Node) error {
	return signal(ctx, d, n, syscall.SIGCONT)
}

// agentNames are the programs that Freeze pauses.
var agentNames = []string{"kubelet", "containerd"}

func agents(d *state.Dir, n node.Node) ([]process.Process, error) {
	first, err := First(d, n.Name())
	if err != nil {
		return nil, err
	}
	children, err := process.Children(first)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(children, func(p process.Process) bool {
		return !slices.ContainsFunc(agentNames, p.Runs)
	}), nil
}

func signal(ctx context.Context, d *state.Dir, n node.Node, s syscall.Signal) error {
	found, err := agents(d, n)
	if err != nil {
		return err
	}
	if len(found) < len(agentNames) {
		return fmt.Errorf("node %s is starting: its kubelet or containerd is not running yet", n.Name())
	}
	want := Running
	for _, p := range found {
		if err := syscall.Kill(p.PID, s); err != nil {
			return fmt.Errorf("signal a process of %s: %w", n.Name(), err)
		}
	}
	if s == syscall.SIGSTOP {
		want = Frozen
	}
	for NodeState(d, n) != want {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}
