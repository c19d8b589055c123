package job

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/rollout"
)

// target is a state of a Job's Pod to wait for.
type target struct {
	job  string
	runs container
	done func(*corev1.Pod) bool
}

// waitForPod watches the Job's Pod until it is in the state to, and returns the Pod. If the container cannot start, it
// returns an error.
func waitForPod(ctx context.Context, cluster *k8s.Client, r Request, to target) (*corev1.Pod, error) {
	var seen *corev1.Pod
	said := ""
	err := cluster.WatchJobPod(ctx, r.Namespace, to.job, func(p *corev1.Pod) (bool, error) {
		if p == nil && seen != nil {
			return false, errors.New("the Pod was deleted")
		}
		if p == nil {
			warning, err := cluster.JobWarning(ctx, r.Namespace, to.job)
			if err == nil && warning != "" {
				err = fmt.Errorf("the Pod cannot be created: %s", warning)
			}
			return false, err
		}
		if reason, message := to.runs.blocked(p, time.Now()); reason != "" {
			return false, fmt.Errorf("the Pod cannot start (%s): %s", reason, message)
		}
		sum := rollout.Summarize(p)
		if claim := deletedClaim(sum); claim != "" {
			return false, fmt.Errorf("the Pod cannot start: PersistentVolumeClaim %s is being deleted", claim)
		}
		if sum.State == "Unschedulable" && sum.Message != said {
			said = sum.Message
			r.Say("waiting for a node: " + said)
		}
		seen = p
		return to.done(p), nil
	})
	if err != nil {
		return nil, fmt.Errorf("run Job %s: %w", to.job, err)
	}
	return seen, nil
}

// claimDeletion matches the scheduler's message about a claim that is being deleted, which no new Pod may mount
// (k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumebinding).
var claimDeletion = regexp.MustCompile(`persistentvolumeclaim "([^"]+)" is being deleted`)

// deletedClaim returns the name of the claim that keeps a Pod from starting because it is being deleted, or "".
func deletedClaim(sum rollout.PodSummary) string {
	m := claimDeletion.FindStringSubmatch(sum.Message)
	if sum.State != "Unschedulable" || m == nil {
		return ""
	}
	return m[1]
}
