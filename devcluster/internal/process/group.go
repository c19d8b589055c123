// Package process starts the programs of a devcluster, restarts a program that ends, and finds them from outside.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Component is a program that runs as long as its cluster.
type Component struct {
	Name string   // in messages
	Path string   // the executable
	Args []string // without the program's name
	Log  string   // the file that its output is appended to

	Attr    *syscall.SysProcAttr // how it is started; nil for as usual
	Allowed func()               // returns when it may be started; nil for at once
	Started func(pid int)        // called after each start; nil for nothing
}

// Group is what the first process of a PID namespace runs. It restarts a component that ends, so that killing one is a restart.
type Group struct {
	dir  string
	lock *os.File

	mu      sync.Mutex
	running map[int]func(syscall.WaitStatus) // by PID: what to do when it ends
}

// restartDelay is short: a component that a test kills should be back before anybody waits.
const restartDelay = 500 * time.Millisecond

// NewGroup returns a group whose programs run in the folder dir and inherit lock.
func NewGroup(dir string, lock *os.File) *Group {
	return &Group{dir: dir, lock: lock, running: map[int]func(syscall.WaitStatus){}}
}

// Keep starts a component, and starts it again whenever it ends.
func (g *Group) Keep(c Component) error {
	file, err := openLog(c.Log)
	if err != nil {
		return fmt.Errorf("start %s: %w", c.Name, err)
	}
	defer func() { _ = file.Close() }()
	cmd := g.command(c.Path, c.Args)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = file, file, c.Attr
	pid, err := g.start(cmd, func(status syscall.WaitStatus) {
		log.Printf("%s ended (exit %d, signal %v); restarting it", c.Name, status.ExitStatus(), status.Signal())
		time.AfterFunc(restartDelay, func() { g.again(c) })
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", c.Name, err)
	}
	if c.Started != nil {
		c.Started(pid)
	}
	return nil
}

func (g *Group) again(c Component) {
	if c.Allowed != nil {
		c.Allowed()
	}
	if err := g.Keep(c); err != nil {
		log.Print(err)
	}
}

func openLog(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
}

// Run runs a program to its end, with input on its standard input. The error holds its output.
func (g *Group) Run(input []byte, path string, args ...string) error {
	in, err := memory(input)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := memory(nil)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	cmd := g.command(path, args)
	// Files, not pipes: exec.Cmd would have to wait for pipes, and only Reap may wait for a process here.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, out
	ended := make(chan syscall.WaitStatus, 1)
	if _, err := g.start(cmd, func(status syscall.WaitStatus) { ended <- status }); err != nil {
		return fmt.Errorf("run %s: %w", filepath.Base(path), err)
	}
	if status := <-ended; status != 0 {
		said, _ := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", out.Fd()))
		return fmt.Errorf("%s %q: exit %d: %s", filepath.Base(path), args, status.ExitStatus(), bytes.TrimSpace(said))
	}
	return nil
}

// memory is an unnamed file that holds data.
func memory(data []byte) (*os.File, error) {
	f, err := os.CreateTemp("", "devcluster-*")
	if err != nil {
		return nil, err
	}
	_, err = f.Write(data)
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func (g *Group) command(path string, args []string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = g.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")} // no proxy settings, no KUBECONFIG
	cmd.ExtraFiles = []*os.File{g.lock}
	return cmd
}

func (g *Group) start(cmd *exec.Cmd, ended func(syscall.WaitStatus)) (int, error) {
	// Reap must not see the process end before it is in the list.
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	g.running[cmd.Process.Pid] = ended
	return cmd.Process.Pid, nil
}

// Reap collects ended processes, as the first process of a PID namespace must. It never returns.
func (g *Group) Reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil: // no children at the moment
			time.Sleep(restartDelay / 50)
			continue
		}
		g.mu.Lock()
		ended := g.running[pid]
		delete(g.running, pid)
		g.mu.Unlock()
		if ended != nil {
			ended(status)
		}
	}
}
