package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Process is a running process, as /proc shows it (man 5 proc).
type Process struct {
	PID    int
	Parent int
	State  byte     // R, S, D, T for stopped, Z …
	Args   []string // its command line
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

// read returns the process whose folder in /proc is dir, and false where it has ended.
func read(dir string) (Process, bool) {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Process{}, false
	}
	// "PID (NAME) STATE PPID …": the name may hold anything, parentheses included.
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

// Runs reports whether the process is the program called name, by itself or as a part of the kubernetes binary.
func (p Process) Runs(name string) bool {
	return filepath.Base(p.Args[0]) == name || len(p.Args) > 1 && p.Args[1] == name
}
