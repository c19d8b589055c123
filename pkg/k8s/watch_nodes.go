package k8s

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"norn/pkg/k8s/rollout"
)

// nodeInterval is how often Observe reads the nodes of Pods that are not ready. Kubernetes itself notices after 50
// seconds that a node is gone.
const nodeInterval = 5 * time.Second

// maxNodes is how many nodes Observe reads at once.
const maxNodes = 20

// nodeStates are the states of the nodes that matter for a rollout.
type nodeStates struct {
	mu     sync.Mutex
	states map[string]rollout.NodeState
}

func (n *nodeStates) get() map[string]rollout.NodeState {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.states
}

// set replaces the states, and reports whether they have changed.
func (n *nodeStates) set(states map[string]rollout.NodeState) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	changed := !maps.Equal(n.states, states)
	n.states = states
	return changed
}

// watchNodes reads the nodes of Pods that are not ready from time to time. It ends if the user cannot list nodes.
func (c *Client) watchNodes(w *watches, pods *changeStore) *nodeStates {
	nodes := &nodeStates{}
	w.every(nodeInterval, func() bool {
		states, err := c.nodesOf(w.ctx, all[corev1.Pod](pods))
		if err == nil && nodes.set(states) {
			w.notify()
		}
		return !apierrors.IsForbidden(err)
	})
	return nodes
}

// nodesOf returns the states of the nodes of those Pods that are not ready, or of all nodes if a Pod finds none.
func (c *Client) nodesOf(ctx context.Context, pods []*corev1.Pod) (map[string]rollout.NodeState, error) {
	states := map[string]rollout.NodeState{}
	read := func(options metav1.ListOptions) error {
		l, err := c.core.Nodes().List(ctx, options)
		if err != nil {
			return err
		}
		for i := range l.Items {
			states[l.Items[i].Name] = rollout.NodeState{Ready: isNodeReady(&l.Items[i])}
		}
		return nil
	}
	names, homeless := nodesInDoubt(pods)
	if homeless {
		return states, read(metav1.ListOptions{ResourceVersion: "0"})
	}
	for _, name := range names[:min(len(names), maxNodes)] {
		states[name] = rollout.NodeState{Gone: true}
		selector := fields.OneTermEqualSelector("metadata.name", name).String()
		if err := read(metav1.ListOptions{FieldSelector: selector}); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// nodesInDoubt returns the nodes of Pods that are not ready or terminating, sorted, and whether no node can run a Pod.
func nodesInDoubt(pods []*corev1.Pod) (names []string, homeless bool) {
	for _, p := range pods {
		if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
			continue
		}
		sum := rollout.Summarize(p)
		switch {
		case p.Spec.NodeName == "":
			homeless = homeless || sum.State == corev1.PodReasonUnschedulable
		case !sum.Ready:
			names = append(names, p.Spec.NodeName)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), homeless
}

func isNodeReady(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}
