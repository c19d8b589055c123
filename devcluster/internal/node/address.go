// Package node runs a node of a devcluster in its own namespaces: containerd, kubelet and kube-proxy.
package node

import (
	"fmt"
	"net"
)

// The addresses of the cluster's network. The nodes and the control plane share a bridge. Each node routes to its own
// pods.
const (
	ControlPlaneIP = "10.245.0.1"
	DNSServiceIP   = "10.96.0.10"
	podNetwork     = "10.244.0.0/16"
	maxNodes       = 32
)

// Node identifies a node by its index, from 0.
type Node struct{ Index int }

// All returns the nodes of a cluster with count nodes.
func All(count int) []Node {
	nodes := make([]Node, count)
	for i := range nodes {
		nodes[i].Index = i
	}
	return nodes
}

// Check returns an error unless a devcluster can have count nodes.
func Check(count int) error {
	if count < 0 || count > maxNodes {
		return fmt.Errorf("invalid --nodes %d: a devcluster has 0 to %d nodes", count, maxNodes)
	}
	return nil
}

// Named returns the node with this name, of count nodes.
func Named(name string, count int) (Node, bool) {
	for _, n := range All(count) {
		if n.Name() == name {
			return n, true
		}
	}
	return Node{}, false
}

// Name returns the node's name: node, node-2, node-3 and so on.
func (n Node) Name() string {
	if n.Index == 0 {
		return "node"
	}
	return fmt.Sprintf("node-%d", n.Index+1)
}

// IP returns the node's address.
func (n Node) IP() net.IP {
	return net.IPv4(10, 245, 0, byte(n.Index+2)) //nolint:gosec // Check bounds it
}

// PodSubnet returns the address range of the node's pods.
func (n Node) PodSubnet() string { return fmt.Sprintf("10.244.%d.0/24", n.Index) }
