package k8s

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/platform"
)

// Platforms returns the platforms of the nodes, such as linux/amd64, sorted. It returns none if the user cannot list
// nodes.
func (c *Client) Platforms(ctx context.Context) ([]string, error) {
	nodes, err := c.Nodes(ctx)
	return platform.OfNodes(nodes), err
}

// Nodes lists the nodes. It returns none if the user cannot list them: a Role cannot allow that, because nodes have no
// namespace.
func (c *Client) Nodes(ctx context.Context) ([]corev1.Node, error) {
	l, err := c.core.Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Explain(err, "list the nodes")
	}
	return l.Items, nil
}
