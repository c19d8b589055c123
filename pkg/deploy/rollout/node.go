package rollout

import (
	"fmt"
	"time"

	k8srollout "norn/pkg/k8s/rollout"
)

// NodeError reports that a rollout did not complete in time because of a node. That says nothing about the version, so
// norn neither marks nor restores one.
type NodeError struct {
	Node    string
	Message string
}

func (e *NodeError) Error() string { return e.Message }

// Hint returns how to complete the rollout.
func (e *NodeError) Hint() string {
	return fmt.Sprintf("run the command again when node %s is back; if it is gone for good, first run "+
		"kubectl delete node %[1]s, so that Kubernetes replaces its Pods", e.Node)
}

// OldPodError reports that a rollout did not complete in time because an old Pod has not ended, and the new ones start
// only then. That says nothing about the version either.
type OldPodError struct {
	Pod     string
	Message string
}

func (e *OldPodError) Error() string { return e.Message }

// Hint returns how to complete the rollout.
func (e *OldPodError) Hint() string {
	return fmt.Sprintf("run the command again when Pod %s has ended, or raise --timeout; if the Pod's node is gone for "+
		"good, run kubectl delete pod %[1]s --force", e.Pod)
}

// The part of the time limit that a node must have cost a rollout to be at fault for its end.
const (
	lostShare = 4 // a fourth
	// stalledShare is for new Pods that are perhaps not only slow: all of them fail their probes until they listen.
	stalledShare = 2
)

// countLost adds the time since the last observation to the time that a node, or an old Pod that does not end, has cost
// the rollout.
func (w *watcher) countLost() {
	now := time.Now()
	if w.verdict.Node != "" || w.verdict.Overdue {
		w.lost += now.Sub(w.seen)
		w.lostTo = w.verdict
	}
	w.seen = now
}

// atFault returns a *NodeError if a node kept a rollout from completing in time, an *OldPodError if an old Pod did, or
// nil. That is the case if the rollout still waits for it, or has waited so long that the version had little time of
// its own.
func (w *watcher) atFault() error {
	v := w.verdict
	text := fmt.Sprintf("not complete after %s: %s", w.Timeout, v.Message)
	switch {
	case v.State == k8srollout.Failed || v.State == k8srollout.Complete:
		return nil
	case v.Node != "" && v.Unaccepted:
		return blame(v, text+fmt.Sprintf("; node %s has not accepted Pod %s", v.Node, v.Pod))
	case v.Node != "" || v.OldPod != "":
		return blame(v, text)
	case w.lost > 0 && share(v)*w.lost >= w.Timeout:
		what := "node " + w.lostTo.Node
		if w.lostTo.Node == "" {
			what = "Pod " + w.lostTo.OldPod
		}
		return blame(w.lostTo, text+fmt.Sprintf("; for %s of this time, it waited for %s", w.lost.Round(time.Second), what))
	}
	return nil
}

// share returns the share for a verdict, or 0 if the version has failed by itself.
func share(v k8srollout.Verdict) time.Duration {
	switch {
	case v.State == k8srollout.Progressing:
		return lostShare
	case v.State == k8srollout.Stalled && v.Patience == 0:
		return stalledShare
	}
	return 0
}

// blame returns the error about the node or the old Pod that a verdict names.
func blame(v k8srollout.Verdict, message string) error {
	if v.Node == "" {
		return &OldPodError{v.OldPod, message}
	}
	return &NodeError{v.Node, message}
}
