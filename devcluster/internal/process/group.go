// Package process starts the programs of a devcluster, restarts them when they end, and finds them from outside.
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
	Log  string   // path of the file for the output, which is appended

	Attr    *syscall.SysProcAttr // may be nil
	Allowed func()               // called before each restart, returns when the program may start; may be nil
	Started func(pid int)        // called after each start; may be nil
}

// Group runs programs in the first process of a PID namespace. It restarts a component that ends.
type Group struct {
	dir  string
	lock *os.File

	mu      sync.Mutex
	running map[int]func(syscall.WaitStatus) // by PID: called when the process ends
}

// restartDelay is short, so that tests need not wait for a component that they kill.
const restartDelay = 500 * time.Millisecond

// NewGroup returns a group. Its programs run in the folder dir and inherit lock.
func NewGroup(dir string, lock *os.File) *Group {
	return &Group{dir: dir, lock: lock, running: map[int]func(syscall.WaitStatus){}}
}

// Keep starts a component and restarts it whenever it ends.
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
		time.AfterFunc(restartDelay, func() { g.restart(c) })
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", c.Name, err)
	}
	if c.Started != nil {
		c.Started(pid)
	}
	return nil
}

func (g *Group) restart(c Component) {
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

// Run runs a program with input on stdin and waits for its end. The error contains the program's output.
func (g *Group) Run(input []byte, path string, args ...string) error {
	in, err := tempFile(input)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := tempFile(nil)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	cmd := g.command(path, args)
	// Files, not pipes: with pipes exec.Cmd must wait for the process, and only Reap may do that.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, out
	ended := make(chan syscall.WaitStatus, 1)
	if _, err := g.start(cmd, func(status syscall.WaitStatus) { ended <- status }); err != nil {
		return fmt.Errorf("run %s: %w", filepath.Base(path), err)
	}
	if status := <-ended; status != 0 {
		output, _ := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", out.Fd()))
		return fmt.Errorf("%s %q: exit %d: %s", filepath.Base(path), args, status.ExitStatus(), bytes.TrimSpace(output))
	}
	return nil
}

// tempFile returns an unnamed file that contains data.
func tempFile(data []byte) (*os.File, error) {
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
	// Reap must not see the end of the process before the process is in the map.
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	g.running[cmd.Process.Pid] = ended
	return cmd.Process.Pid, nil
}

// Reap waits for all processes of the PID namespace, which is the first process's duty. It never returns.
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
