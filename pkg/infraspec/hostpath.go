package infraspec

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Folders of a node whose owner controls the node: a Pod that mounts one can read its secrets or become root on it.
var (
	// reservedFolders must not be mounted themselves. Folders in them are like any other.
	reservedFolders = []string{"/", "/dev", "/etc", "/run", "/sys"}
	// reservedTrees must not be mounted, and no folder or socket in them.
	reservedTrees = []string{
		"/boot", "/proc", "/root", "/etc/kubernetes", "/var/lib/kubelet", "/var/lib/etcd",
		"/var/lib/containerd", "/var/lib/docker", "/var/lib/containers", "/var/lib/rancher",
		"/run/containerd", "/run/docker.sock", "/run/docker", "/run/crio", "/run/podman", "/run/k3s", "/run/secrets",
		"/run/cri-dockerd.sock", "/run/dbus", "/run/systemd",
	}
)

// nodePath returns a hostPath without detours. /var/run is a link to /run.
func nodePath(hostPath string) string {
	clean := path.Clean(hostPath)
	if clean == "/var/run" || strings.HasPrefix(clean, "/var/run/") {
		return strings.TrimPrefix(clean, "/var")
	}
	return clean
}

// within reports whether a path is folder or lies in it.
func within(p, folder string) bool {
	return p == folder || strings.HasPrefix(p, strings.TrimSuffix(folder, "/")+"/")
}

// reserved returns the folder of the node that a hostPath must not reach, or "".
func reserved(hostPath string) string {
	p := nodePath(hostPath)
	for _, folder := range slices.Concat(reservedFolders, reservedTrees) {
		if within(folder, p) {
			return folder
		}
	}
	for _, tree := range reservedTrees {
		if within(p, tree) {
			return tree
		}
	}
	return ""
}

// HostPaths returns a warning for each volume that mounts a folder of the node outside the allowed folders.
func (s *Spec) HostPaths(allowed []string) []Finding {
	var found []Finding
	for i, v := range s.Volumes {
		if v.HostPath == "" || !path.IsAbs(v.HostPath) {
			continue // none, or already an error
		}
		if severity, problem := HostPathProblem(v.HostPath, allowed); severity == Warning {
			found = append(found, s.Finding(element("volumes", i)+".hostPath", Warning, RuleHostPath, problem))
		}
	}
	return found
}

// HostPathProblem returns why an app should not mount a folder of its node, with an Error if the folder controls the
// node. It returns "" for a folder within the allowed ones.
func HostPathProblem(hostPath string, allowed []string) (Severity, string) {
	p := nodePath(hostPath)
	if folder := reserved(p); folder != "" {
		return Error, fmt.Sprintf("%s gives the app control of its node (%s is reserved)", quoted(hostPath), folder)
	}
	if slices.ContainsFunc(allowed, func(folder string) bool { return within(p, nodePath(folder)) }) {
		return Note, ""
	}
	return Warning, fmt.Sprintf(
		"the app can read and write %s of its node; if that is intended, add the folder to NORN_HOST_PATHS", quoted(p))
}
