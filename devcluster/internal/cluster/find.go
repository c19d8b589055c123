package cluster

import (
	"errors"
	"fmt"

	"norn/devcluster/internal/node"
	"norn/devcluster/internal/process"
	"norn/devcluster/internal/state"
)

// ControlPlane is the name that stands for the control plane where a node's name is expected.
const ControlPlane = "control-plane"

// First returns the host's PID of the first process of a node or of the control plane.
func First(d *state.Dir, name string) (int, error) {
	supervisor, err := d.Supervisor()
	if err != nil {
		return 0, err
	}
	if supervisor == 0 {
		return 0, fmt.Errorf("no devcluster is running in %s; start one with devcluster up", d.Root)
	}
	children, err := process.Children(supervisor)
	if err != nil {
		return 0, err
	}
	if len(children) != 1 {
		return 0, errors.New("the cluster's first process is missing: the cluster is starting or stopping")
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
	return 0, fmt.Errorf("node %s is not running; list the nodes with devcluster node list", name)
}
