// Package node runs a devcluster: a supervisor on the host, and inside namespaces of its own the first
// process, which starts everything else. On the host there are only two loopback sockets; pod
// addresses, mounts and processes exist inside alone, and end with the supervisor.
package node

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"norn/devcluster/internal/state"
)

// The hidden commands by which devcluster starts itself again.
const (
	SuperviseCommand = "supervise"
	InitCommand      = "init"
)

// The file descriptors under which the two host sockets and the cluster's lock are handed down. The lock goes on to
// everything that runs in the cluster: it is free when all of that is gone.
const (
	apiFD      = 3
	registryFD = 4
	lockFD     = 5
)

// Supervise keeps the namespaces' first process until ctx ends, or until that process does. It is started by up, which
// hands it the sockets and the cluster's lock.
func Supervise(ctx context.Context, d *state.Dir) error {
	lock := state.Inherited(lockFD)
	defer lock.Release()
	if err := lock.Note(os.Getpid()); err != nil { // by itself: the up that started it may be gone already
		return fmt.Errorf("note the supervisor's pid: %w", err)
	}
	// The kernel sends Pdeathsig when the thread that started the child ends, so that must be one that stays.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	ClearCgroups(d.Name()) // an earlier supervisor that was killed left them
	defer ClearCgroups(d.Name())
	cmd := exec.Command("/proc/self/exe", InitCommand, "--dir", d.Root)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{os.NewFile(apiFD, "api"), os.NewFile(registryFD, "registry"), lock.File()}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
	}
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
