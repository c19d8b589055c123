package node

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Mount holds the arguments of mount(2).
type Mount struct {
	Source, Target, Kind string
	Flags                uintptr
}

// VolumesDir is the folder in which Kubernetes' hostpath provisioner creates volumes. The path is hard-coded
// (k8s.io/kubernetes/pkg/volume/hostpath).
const VolumesDir = "/tmp/hostpath_pv"

// Enter sets the mounts and the host name of the process's new namespaces.
func Enter(hostname string, mounts []Mount) error {
	steps := append([]Mount{
		// Private first, so that no mount reaches the host. Then shared inside, which volumes need.
		{"none", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{"proc", "/proc", "proc", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC},
		{"none", "/", "", syscall.MS_REC | syscall.MS_SHARED},
	}, mounts...)
	for _, s := range steps {
		if err := syscall.Mount(s.Source, s.Target, s.Kind, s.Flags, ""); err != nil {
			return fmt.Errorf("mount %s: %w", s.Target, err)
		}
	}
	if err := syscall.Sethostname([]byte(hostname)); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	return nil
}

// Bind returns the bind mount of the folder source at target. It creates both folders.
func Bind(source, target string) (Mount, error) {
	err := errors.Join(os.MkdirAll(source, 0o755), os.MkdirAll(target, 0o755))
	return Mount{source, target, "", syscall.MS_BIND}, err
}

// Tmpfs returns the mount of an empty file system in memory.
func Tmpfs(target string) Mount {
	return Mount{"tmpfs", target, "tmpfs", syscall.MS_NOSUID | syscall.MS_NODEV}
}
