package state

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Lock is a file lock that is held. The kernel releases it when the last process that has inherited it ends, even by a
// kill. So if a lock is free, no such process is left.
type Lock struct{ file *os.File }

// The locks of a state folder.
const (
	Commands = "commands.lock" // held by up and down
	Cluster  = "cluster.lock"  // held by the supervisor and everything that it starts
)

// Acquire waits for a lock and takes it.
func (d *Dir) Acquire(name string) (*Lock, error) {
	l, err := d.lock(name, syscall.LOCK_EX)
	if err != nil {
		return nil, fmt.Errorf("take %s: %w", name, err)
	}
	return l, nil
}

func (d *Dir) lock(name string, how int) (*Lock, error) {
	f, err := os.OpenFile(d.Path(name), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &Lock{f}, nil
}

// Release closes this process's share of the lock.
func (l *Lock) Release() { _ = l.file.Close() }

// File returns the lock's file for a process to inherit.
func (l *Lock) File() *os.File { return l.file }

// Inherited returns the lock that this process has inherited.
func Inherited(fd uintptr) *Lock { return &Lock{os.NewFile(fd, "lock")} }

// Note writes the supervisor's pid to the lock's file, or 0 if it is not known yet.
func (l *Lock) Note(pid int) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(strconv.Itoa(pid)+"\n"), 0)
	return err
}

// Supervisor returns the supervisor's pid, or 0 if the cluster is not running. It waits while the cluster is starting
// or stopping.
func (d *Dir) Supervisor() (int, error) {
	deadline := time.Now().Add(time.Minute)
	for {
		pid, held, err := d.running()
		if err != nil || pid != 0 || !held {
			return pid, err
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("%s is held, but not by a supervisor; find the process that has it open", d.Path(Cluster))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Held reports whether any process of the cluster is left.
func (d *Dir) Held() bool {
	_, held, err := d.running()
	return held || err != nil
}

// running returns the pid in the lock's file if its process is running, and whether the lock is held. The lock can be
// held without such a pid: after a supervisor was killed, and before a new one has written its pid.
func (d *Dir) running() (pid int, held bool, err error) {
	if !d.Exists() {
		return 0, false, nil
	}
	l, err := d.lock(Cluster, syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		l.Release()
		return 0, false, nil
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return 0, false, fmt.Errorf("check whether the cluster is running: %w", err)
	}
	data, err := os.ReadFile(d.Path(Cluster))
	if err != nil {
		return 0, true, fmt.Errorf("check whether the cluster is running: %w", err)
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid == 0 || syscall.Kill(pid, 0) != nil {
		return 0, true, nil //nolint:nilerr // the file does not contain the pid of a running supervisor
	}
	return pid, true, nil
}
