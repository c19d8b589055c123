package connect

import (
	"context"
	"os"
	"strings"

	"norn/pkg/k8s"
)

// LocalCluster describes a cluster on this machine, into which images can be loaded without a registry.
type LocalCluster struct {
	Kind string // kind, k3d, minikube, k3s, containerd, docker-desktop or devcluster; "" is none
	Name string // by which its own command knows it
}

// bootID tells one start of one machine from all others (man 5 proc: random).
const bootID = "/proc/sys/kernel/random/boot_id"

// Local reports whether the cluster is on this machine: by the context's name, or else by its only node being this
// machine. For a user who may not list nodes it reports none.
func Local(ctx context.Context, c *k8s.Client) (LocalCluster, error) {
	for _, kind := range []string{"kind", "k3d"} {
		if name, ok := strings.CutPrefix(c.Context, kind+"-"); ok {
			return LocalCluster{kind, name}, nil
		}
	}
	switch c.Context {
	case "devcluster", "docker-desktop":
		return LocalCluster{c.Context, ""}, nil
	}
	nodes, err := c.Nodes(ctx)
	if err != nil || len(nodes) == 0 {
		return LocalCluster{}, err
	}
	node := nodes[0]
	if profile := node.Labels["minikube.k8s.io/name"]; profile != "" {
		return LocalCluster{"minikube", profile}, nil
	}
	boot, err := os.ReadFile(bootID)
	switch {
	case err != nil || len(nodes) != 1 || node.Status.NodeInfo.BootID != strings.TrimSpace(string(boot)):
		return LocalCluster{}, nil //nolint:nilerr // where the file cannot be read, the node is not known to be this machine
	case strings.Contains(node.Status.NodeInfo.KubeletVersion, "+k3s"):
		return LocalCluster{"k3s", ""}, nil
	case strings.HasPrefix(node.Status.NodeInfo.ContainerRuntimeVersion, "containerd://"):
		return LocalCluster{"containerd", ""}, nil
	}
	return LocalCluster{}, nil
}
