package connect

import (
	"bytes"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// pluginVariable is the environment variable that client-go sets for credential plugins and for nothing else.
const pluginVariable = "KUBERNETES_EXEC_INFO="

// EndPlugins terminates the credential plugins that this process runs. client-go does not name their processes.
func EndPlugins() {
	processes, _ := unix.SysctlKinfoProcSlice("kern.proc.uid", os.Getuid())
	for i := range processes {
		p := &processes[i]
		if int(p.Eproc.Ppid) != os.Getpid() {
			continue
		}
		pid := int(p.Proc.P_pid)
		environ, _ := unix.SysctlRaw("kern.procargs2", pid) // arguments, then environment
		if bytes.Contains(environ, []byte("\x00"+pluginVariable)) {
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	}
}
