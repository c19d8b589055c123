// Package cluster runs a devcluster: a supervisor on the host, and inside namespaces of its own the first process,
// which starts the control plane and the nodes. On the host there are only loopback sockets; addresses, mounts and
// processes exist inside alone, and end with the supervisor.
package cluster

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"norn/devcluster/internal/node"
	"norn/devcluster/internal/state"
)

// The hidden commands by which devcluster starts itself again.
const (
	SuperviseCommand = "supervise"
	InitCommand      = "init"
)

// The file descriptors under which the cluster's lock and the host's sockets are handed down. The lock goes on to
// everything that runs in the cluster: it is free when all of that is gone.
const (
	lockFD       = 3
	apiFD        = 4
	registryFD   = 5
	gatewayFD    = 6 // with a gateway only
	gatewayTLSFD = 7 // likewise
)

// handedDown returns the descriptors that a start is given.
func handedDown(s state.Settings) []uintptr {
	fds := []uintptr{lockFD, apiFD, registryFD}
	if s.Gateway {
		fds = append(fds, gatewayFD, gatewayTLSFD)
	}
	return fds
}

// Supervise keeps the namespaces' first process until ctx ends, or until that process does. It is started by up, which
// hands it the sockets and the cluster's lock.
func Supervise(ctx context.Context, d *state.Dir) error {
	settings, err := d.Settings()
	if err != nil {
		return err
	}
	lock := state.Inherited(lockFD)
	defer lock.Release()
	if err := lock.Note(os.Getpid()); err != nil { // by itself: the up that started it may be gone already
		return fmt.Errorf("note the supervisor's pid: %w", err)
	}
	// The kernel sends Pdeathsig when the thread that started the child ends, so that must be one that stays.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	node.ClearCgroups(d.Name()) // an earlier supervisor that was killed left them
	defer node.ClearCgroups(d.Name())
	cmd := exec.Command("/proc/self/exe", InitCommand, "--dir", d.Root)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	for _, fd := range handedDown(settings) {
		cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(fd, "handed down"))
	}
	cmd.SysProcAttr = namespaces()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("enter new namespaces (this needs CAP_SYS_ADMIN): %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ctx.Done():
		log.Print("stopping")
		_ = cmd.Process.Kill() // the first process of the PID namespace: the kernel ends the others with it
		<-ended                //nolint:errcheck // killed, as intended
		return nil
	case err := <-ended:
		return fmt.Errorf("the cluster's first process ended by itself: %w", err)
	}
}

// namespaces starts a process in namespaces of its own.
func namespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Unshareflags: syscall.CLONE_NEWNS,
	}
}
