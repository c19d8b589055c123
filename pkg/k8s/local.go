package k8s

import (
	"context"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LocalCluster is a cluster on this machine, into which images can be loaded without a registry.
type LocalCluster struct {
	Kind string // kind, k3d, minikube, k3s, containerd, docker-desktop or devcluster; "" is none
	Name string // by which its own command knows it
}

// bootID tells one start of one machine from all others (man 5 proc: random).
const bootID = "/proc/sys/kernel/random/boot_id"

// Local says whether the cluster is on this machine: by the name that its maker gives the context, else by its node being this machine. Who may not list nodes
// is told that it is none.
func (c *Client) Local(ctx context.Context) (LocalCluster, error) {
	for _, kind := range []string{"kind", "k3d"} {
		if name, ok := strings.CutPrefix(c.Context, kind+"-"); ok {
			return LocalCluster{kind, name}, nil
		}
	}
	switch c.Context {
	case "devcluster", "docker-desktop":
		return LocalCluster{c.Context, ""}, nil
	}
	nodes, err := c.nodes(ctx)
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

// Platforms are those of the nodes, such as linux/amd64; none where the user may not list nodes.
func (c *Client) Platforms(ctx context.Context) ([]string, error) {
	nodes, err := c.nodes(ctx)
	var out []string
	for _, n := range nodes {
		if p := n.Status.NodeInfo.OperatingSystem + "/" + n.Status.NodeInfo.Architecture; !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out, err
}

// nodes lists the nodes, or none where the user may not: a Role cannot allow it, since they are in no namespace.
func (c *Client) nodes(ctx context.Context) ([]corev1.Node, error) {
	l, err := c.core.Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(err, "list the nodes")
	}
	return l.Items, nil
}
