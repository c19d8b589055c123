package cluster

import (
	"errors"
	"fmt"

	"norn/devcluster/internal/node"
	"norn/devcluster/internal/process"
	"norn/devcluster/internal/state"
)

// ControlPlane is the name, among the nodes' names, of what holds the control plane.
const ControlPlane = "control-plane"

// First returns the PID, as the host sees it, of the first process of a node, or of the control plane.
func First(d *state.Dir, name string) (int, error) {
	supervisor, err := d.Supervisor()
	if err != nil {
		return 0, err
	}
	if supervisor == 0 {
		return 0, fmt.Errorf("no devcluster runs in %s; start one with devcluster up", d.Root)
	}
	children, err := process.Children(supervisor)
	if err != nil {
		return 0, err
	}
	if len(children) != 1 {
		return 0, errors.New("the cluster's first process is not there: it is starting, or ending")
	}
	if name == ControlPlane {
		return children[0].PID, nil
	}
	nodes, err := process.Children(children[0].PID)
	if err != nil {
		return 0, err
	}
	for _, n := range nodes {
		if n.Runs(node.InitCommand) && len(n.Args) > 2 && n.Args[2] == name {
			return n.PID, nil
		}
	}
	return 0, fmt.Errorf("node %s is not running; devcluster node list shows the nodes", name)
}
