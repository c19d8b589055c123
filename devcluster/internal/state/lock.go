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

// Lock is a held file lock. The kernel lets go of it when the last process that has inherited it ends, however
// that comes about, so a lock that can be taken means that nobody is left.
type Lock struct{ file *os.File }

// The locks of a state folder.
const (
	Commands = "commands.lock" // held by an up or a down while it works
	Cluster  = "cluster.lock"  // held by the supervisor and all it starts
)

// Acquire takes the lock called name, waiting for it.
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

// File is the lock, to be inherited by another process.
func (l *Lock) File() *os.File { return l.file }

// Inherited is the lock that a process has got from the one that started it.
func Inherited(fd uintptr) *Lock { return &Lock{os.NewFile(fd, "lock")} }

// Note writes the pid of the process to ask into the lock's file; 0 for nobody yet.
func (l *Lock) Note(pid int) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(strconv.Itoa(pid)+"\n"), 0)
	return err
}

// Supervisor returns the supervisor's pid if the cluster runs, and 0 if not. Where something is on its way up or down, it
// waits until that is one or the other.
func (d *Dir) Supervisor() (int, error) {
	deadline := time.Now().Add(time.Minute)
	for {
		pid, held, err := d.running()
		if err != nil || pid != 0 || !held {
			return pid, err
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("%s is held, and by no supervisor; see which process has it open", d.Path(Cluster))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Held reports whether anything of the cluster is left.
func (d *Dir) Held() bool {
	_, held, err := d.running()
	return held || err != nil
}

// running is one look at the lock and at whom it names. held says whether anything of it is left, which is
// so for a moment after a supervisor was killed, and before a new one's pid is noted.
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
		return 0, false, fmt.Errorf("look whether it runs: %w", err)
	}
	data, err := os.ReadFile(d.Path(Cluster))
	if err != nil {
		return 0, true, fmt.Errorf("look whether it runs: %w", err)
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid == 0 || syscall.Kill(pid, 0) != nil {
		return 0, true, nil //nolint:nilerr // whatever stands there, it is not the pid of a supervisor that runs
	}
	return pid, true, nil
}
