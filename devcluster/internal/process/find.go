package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Process is a running process (man 5 proc).
type Process struct {
	PID    int
	Parent int
	State  byte     // R, S, D, T for stopped, Z …
	Args   []string // command line
}

// Children returns the child processes of parent.
func Children(parent int) ([]Process, error) {
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var children []Process
	for _, path := range found {
		if p, ok := read(filepath.Dir(path)); ok && p.Parent == parent {
			children = append(children, p)
		}
	}
	return children, nil
}

// read returns the process of a folder in /proc, or false if it has ended.
func read(dir string) (Process, bool) {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Process{}, false
	}
	// "PID (NAME) STATE PPID …": the name may contain anything, even parentheses.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return Process{}, false
	}
	pid, errPID := strconv.Atoi(filepath.Base(dir))
	parent, errParent := strconv.Atoi(fields[1])
	command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if errPID != nil || errParent != nil || err != nil {
		return Process{}, false
	}
	return Process{pid, parent, fields[0][0], strings.Split(strings.TrimRight(string(command), "\x00"), "\x00")}, true
}

// Runs reports whether the process runs a program, either its own binary or a part of the kubernetes binary.
func (p Process) Runs(name string) bool {
	return filepath.Base(p.Args[0]) == name || len(p.Args) > 1 && p.Args[1] == name
}
