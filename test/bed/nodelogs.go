package bed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// PodLogs returns the folder where the node keeps the logs of its Pods.
func (c *Cluster) PodLogs() string { return c.node("var-log", "pods") }

// node returns a path in the folder of the cluster's first node.
func (c *Cluster) node(names ...string) string {
	return filepath.Join(append([]string{c.Dir, "nodes", "node"}, names...)...)
}

// kubeletConfig returns the path of the kubelet's configuration.
func (c *Cluster) kubeletConfig() string { return c.node("kubelet.yaml") }

// SetLogRotation sets the size at which the kubelet rotates a container's log, and the interval of its checks, until
// the test ends. It restarts the kubelet, which reads its configuration only at the start.
func (c *Cluster) SetLogRotation(tb testing.TB, size, every string) {
	tb.Helper()
	path := c.kubeletConfig()
	before, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	set := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
		c.KillComponent(tb, "kubelet")
	}
	set(fmt.Sprintf("%scontainerLogMaxSize: %s\ncontainerLogMonitorInterval: %s\n", before, size, every))
	tb.Cleanup(func() { set(string(before)) })
}

// RotateLogs rotates the logs of the Pods' running containers, and returns the paths of the old files.
func (c *Cluster) RotateLogs(tb testing.TB, namespace string, pods []string) []string {
	tb.Helper()
	args := append([]string{"rotate", "--dir", c.Dir, "--namespace", namespace}, pods...)
	cmd := exec.Command(devcluster(tb), args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Fields(string(out))
}
