package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// provisionerDir is where Kubernetes' hostpath provisioner makes its volumes; the path is fixed in its code
// (k8s.io/kubernetes/pkg/volume/hostpath).
const provisionerDir = "/tmp/hostpath_pv"

// enter makes the fresh namespaces a place to run a node in: own /proc, /run, /var/lib and /var/log, a host
// name and a network with one bridge.
func (n *node) enter() error {
	for _, fd := range []int{apiFD, registryFD, lockFD} {
		syscall.CloseOnExec(fd)
	}
	if err := n.mounts(); err != nil {
		return err
	}
	if err := syscall.Sethostname([]byte("node")); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	return network()
}

func (n *node) mounts() error {
	// Private first, so that nothing reaches the host; then shared among ourselves, which volumes need.
	steps := []struct {
		source, target, kind string
		flags                uintptr
	}{
		{"none", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{"proc", "/proc", "proc", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC},
		{"none", "/", "", syscall.MS_REC | syscall.MS_SHARED},
		{n.dir.Path("var-lib"), "/var/lib", "", syscall.MS_BIND},
		{n.dir.Path("var-log"), "/var/log", "", syscall.MS_BIND},
		{n.dir.Path("volumes"), provisionerDir, "", syscall.MS_BIND},
		{"tmpfs", "/run", "tmpfs", syscall.MS_NOSUID | syscall.MS_NODEV},
	}
	for _, s := range steps {
		if s.flags == syscall.MS_BIND {
			if err := errors.Join(os.MkdirAll(s.source, 0o755), os.MkdirAll(s.target, 0o755)); err != nil {
				return fmt.Errorf("mount %s: %w", s.target, err)
			}
		}
		if err := syscall.Mount(s.source, s.target, s.kind, s.flags, ""); err != nil {
			return fmt.Errorf("mount %s: %w", s.target, err)
		}
	}
	return os.Chmod("/run", 0o755)
}

// network makes the bridge that pods hang on. The default route leads nowhere; kubelet and dials to service
// addresses only want one to exist.
func network() error {
	for _, line := range []string{
		"link set lo up",
		"addr add " + serviceIP + "/32 dev lo",
		"link add cni0 type bridge",
		"addr add " + nodeIP + "/24 dev cni0",
		"link set cni0 up",
		"route add default dev cni0",
	} {
		out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("let pods reach each other: %w", err)
	}
	return nil
}
