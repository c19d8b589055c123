package connect

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// pluginVariable is the environment variable that client-go sets for credential plugins and for nothing else.
const pluginVariable = "KUBERNETES_EXEC_INFO="

// EndPlugins terminates the credential plugins that this process runs, and the programs that they run: a program that
// outlives its plugin would keep norn's stderr open. client-go does not name their processes.
func EndPlugins() {
	parents := map[int]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range files {
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			parents[pid] = parentOf(path)
		}
	}
	for pid := range parents {
		if !descends(parents, pid, os.Getpid()) {
			continue
		}
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if bytes.HasPrefix(environ, []byte(pluginVariable)) || bytes.Contains(environ, []byte("\x00"+pluginVariable)) {
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	}
}

// parentOf returns the parent in a process's stat file, or 0 (man 5 proc_pid_stat: the name is in parentheses, and may
// contain any character).
func parentOf(path string) int {
	stat, _ := os.ReadFile(path) //nolint:gosec // in /proc
	_, rest, _ := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}
