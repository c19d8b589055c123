package bed

import (
	"os/exec"
	"testing"
	"time"
)

// OwnNodes starts a cluster with three nodes for one test, which may break them.
func OwnNodes(tb testing.TB) *Cluster {
	tb.Helper()
	c, err := start(devcluster(tb), "--nodes", "3")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.stop(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// Node does something to a node: freeze, thaw, stop or start.
func (c *Cluster) Node(tb testing.TB, action, name string) {
	tb.Helper()
	Run(tb, exec.Command(devcluster(tb), "node", action, name, "--dir", c.Dir))
}

// AwaitNode waits until the cluster says that a node is ready, or that it is not.
func (c *Cluster) AwaitNode(tb testing.TB, name string, ready bool) {
	tb.Helper()
	Eventually(tb, 2*time.Minute, "the state of node "+name, func() bool {
		status := c.Kubectl(tb, "get", "node", name, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
		return (status == "True") == ready
	})
}
