// Package cluster runs a devcluster. A supervisor on the host starts the first process inside new namespaces, which
// starts the control plane and the nodes. The host has only loopback sockets. Addresses, mounts and processes exist
// only inside, and end with the supervisor.
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

// The hidden commands with which devcluster starts itself.
const (
	SuperviseCommand = "supervise"
	InitCommand      = "init"
)

// The inherited file descriptors of the cluster's lock and the host's sockets. Everything that runs in the cluster
// inherits the lock, so it is free only when all of that has ended.
const (
	lockFD       = 3
	apiFD        = 4
	registryFD   = 5
	gatewayFD    = 6 // only with a gateway
	gatewayTLSFD = 7 // only with a gateway
)

// inheritedFDs returns the file descriptors that the first process inherits.
func inheritedFDs(s state.Settings) []uintptr {
	fds := []uintptr{lockFD, apiFD, registryFD}
	if s.Gateway {
		fds = append(fds, gatewayFD, gatewayTLSFD)
	}
	return fds
}

// Supervise runs the namespaces' first process until ctx or that process ends. The command up starts it and passes the
// sockets and the cluster's lock to it.
func Supervise(ctx context.Context, d *state.Dir) error {
	settings, err := d.Settings()
	if err != nil {
		return err
	}
	lock := state.Inherited(lockFD)
	defer lock.Release()
	if err := lock.Note(os.Getpid()); err != nil { // up cannot do it: it may have ended
		return fmt.Errorf("write the supervisor's pid: %w", err)
	}
	// The kernel sends Pdeathsig when the thread that started the child ends, so this thread must stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	node.ClearCgroups(d.Name()) // a killed supervisor leaves them
	defer node.ClearCgroups(d.Name())
	cmd := exec.Command("/proc/self/exe", InitCommand, "--dir", d.Root)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	for _, fd := range inheritedFDs(settings) {
		cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(fd, "inherited"))
	}
	cmd.SysProcAttr = namespaces()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("create namespaces (requires CAP_SYS_ADMIN): %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ctx.Done():
		log.Print("stopping")
		_ = cmd.Process.Kill() // ends all processes of the PID namespace
		<-ended                //nolint:errcheck // the process was killed
		return nil
	case err := <-ended:
		return fmt.Errorf("the cluster's first process ended unexpectedly: %w", err)
	}
}

// namespaces returns the attributes for starting a process in new namespaces.
func namespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Unshareflags: syscall.CLONE_NEWNS,
	}
}
