package connect

import (
	"context"
	"os"
	"strings"

	"norn/pkg/k8s"
)

// LocalCluster describes a cluster on this machine. Images can be loaded into it without a registry.
type LocalCluster struct {
	Kind string // kind, k3d, minikube, k3s, containerd, docker-desktop, devcluster, or "" if not local
	Name string // its name in its own tool
}

// bootID is unique to each boot of each machine (man 5 proc: random).
const bootID = "/proc/sys/kernel/random/boot_id"

// Local returns the kind of the cluster on this machine. It recognizes the cluster by the context's name, or else by
// checking whether the only node is this machine. If the user cannot list nodes, it returns a zero LocalCluster.
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
		return LocalCluster{}, nil //nolint:nilerr // without the file, the node is not known to be this machine
	case strings.Contains(node.Status.NodeInfo.KubeletVersion, "+k3s"):
		return LocalCluster{"k3s", ""}, nil
	case strings.HasPrefix(node.Status.NodeInfo.ContainerRuntimeVersion, "containerd://"):
		return LocalCluster{"containerd", ""}, nil
	}
	return LocalCluster{}, nil
}
