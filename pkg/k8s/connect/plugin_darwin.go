package connect

import (
	"bytes"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// pluginVariable is the environment variable that client-go sets for credential plugins and for nothing else.
const pluginVariable = "KUBERNETES_EXEC_INFO="

// EndPlugins terminates the credential plugins that this process runs, and the programs that they run. client-go does
// not name their processes.
func EndPlugins() {
	processes, _ := unix.SysctlKinfoProcSlice("kern.proc.uid", os.Getuid())
	parents := map[int]int{}
	for i := range processes {
		parents[int(processes[i].Proc.P_pid)] = int(processes[i].Eproc.Ppid)
	}
	for pid := range parents {
		if !descends(parents, pid, os.Getpid()) {
			continue
		}
		environ, _ := unix.SysctlRaw("kern.procargs2", pid) // arguments, then environment
		if bytes.Contains(environ, []byte("\x00"+pluginVariable)) {
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	}
}
