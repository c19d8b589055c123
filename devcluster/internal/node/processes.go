package node

import (
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"norn/devcluster/internal/state"
)

// processes are the components that run. One that ends is started again, so that killing one
// is a restart.
type processes struct {
	dir  *state.Dir
	lock *state.Lock // the cluster's, which every component inherits

	mu      sync.Mutex
	running map[int]component
}

type component struct {
	name, exe string
	args      []string
}

// restartDelay is short: a component that is killed for a test should be back before anybody waits.
const restartDelay = 500 * time.Millisecond

func newProcesses(d *state.Dir) *processes {
	return &processes{dir: d, lock: state.Inherited(lockFD), running: map[int]component{}}
}

// start runs a component with its output appended to its log.
func (p *processes) start(c component) error {
	file, err := os.OpenFile(p.dir.Log(c.name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("start %s: %w", c.name, err)
	}
	defer func() { _ = file.Close() }()
	cmd := exec.Command(c.exe, c.args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = file, file, p.dir.Root
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")} // no proxy settings, no KUBECONFIG
	cmd.ExtraFiles = []*os.File{p.lock.File()}
	// The reaper must not see the process end before it is in the list.
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.name, err)
	}
	p.running[cmd.Process.Pid] = c
	return nil
}

// own starts one of the Kubernetes programs.
func (p *processes) own(name string, args ...string) error {
	exe, err := Program("kubernetes")
	if err != nil {
		return err
	}
	return p.start(component{name, exe, append([]string{name}, args...)})
}

// reap is what the first process of a PID namespace owes to all others: it collects the ended ones.
func (p *processes) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil: // no children just now
			time.Sleep(restartDelay)
			continue
		}
		p.mu.Lock()
		c, ok := p.running[pid]
		delete(p.running, pid)
		p.mu.Unlock()
		if !ok {
			continue
		}
		log.Printf("%s ended (exit %d, signal %v); starting it again", c.name, status.ExitStatus(), status.Signal())
		time.AfterFunc(restartDelay, func() {
			if err := p.start(c); err != nil {
				log.Print(err)
			}
		})
	}
}
