// Package platform decides which nodes the Pods of an image need, by the image's platforms. It makes no calls.
//
// A platform is an operating system and an architecture, such as linux/amd64. It may have a variant, as in
// linux/arm/v7. Nodes have no variant, so it does not count.
package platform

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// OfNodes returns the platforms of nodes, sorted. The labels count, because an affinity selects nodes by them.
func OfNodes(nodes []corev1.Node) []string {
	var out []string
	for _, n := range nodes {
		p := ofNode(n)
		if p != "" && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// ofNode returns a node's platform, or "" for a Node object that no kubelet has registered.
func ofNode(n corev1.Node) string {
	system, architecture := n.Labels[corev1.LabelOSStable], n.Labels[corev1.LabelArchStable]
	if system == "" || architecture == "" {
		system, architecture = n.Status.NodeInfo.OperatingSystem, n.Status.NodeInfo.Architecture
	}
	if system == "" || architecture == "" {
		return ""
	}
	return system + "/" + architecture
}

// Matching returns the platforms that are also among others. A variant does not count.
func Matching(platforms, others []string) []string {
	var out []string
	for _, p := range platforms {
		if slices.ContainsFunc(others, func(other string) bool { return base(other) == base(p) }) {
			out = append(out, p)
		}
	}
	return out
}

// base returns a platform without its variant.
func base(platform string) string {
	system, rest, _ := strings.Cut(platform, "/")
	architecture, _, _ := strings.Cut(rest, "/")
	return system + "/" + architecture
}

// Question asks which platforms the Pods of an image require of their nodes.
type Question struct {
	Image []string // the image's platforms, or none if they are unknown
	Nodes []string // the nodes' platforms, or none if they are unknown
	Live  []string // the platforms that the app's Pods require now, or none
	Same  bool     // the app's Pods run the image already
}

// Required returns the platforms that the Pods require, or none.
//
// Pods require none if every node can run the image, and also if no node can: then the nodes may emulate it. Once Pods
// require platforms, they do so until an image for all nodes replaces theirs. Other nodes may be missing only for now.
func (q Question) Required() []string {
	runs := len(Matching(q.Nodes, q.Image))
	switch {
	case q.Same && len(q.Live) > 0:
		return q.Live
	case 0 < runs && runs < len(q.Nodes), len(q.Nodes) <= 1 && len(q.Live) > 0:
		return q.Image
	}
	return nil
}
