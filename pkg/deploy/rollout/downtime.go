package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	k8srollout "norn/pkg/k8s/rollout"
)

// announceDowntime prints that a change stops the running Pods before it starts new ones, why, and for how long.
func (r *runner) announceDowntime(ctx context.Context, before, after *appsv1.Deployment) {
	recreates := after.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType
	if !recreates || before.Status.Replicas == 0 || !Replaces(before, after) {
		return
	}
	pods, _ := r.cluster.GetPods(ctx, r.Namespace, r.Workload()) // without them, the text has no times
	_, _ = fmt.Fprintln(r.out, downtime(after.Spec.Template.Spec, pods))
}

// downtime describes the interruption of an app whose Pods end before the new ones start. pods are the running ones:
// the new ones probably start as fast as they did.
func downtime(pod corev1.PodSpec, pods []corev1.Pod) string {
	text := "stopping the running Pods first"
	if claims := k8srollout.ClaimNames(pod); len(claims) > 0 {
		text += ": two Pods cannot share claim " + strings.Join(claims, ", ")
	}
	var start time.Duration
	var grace int64
	for i := range pods {
		if took, known := k8srollout.StartTook(&pods[i]); known {
			start = max(start, took)
		}
		if g := pods[i].Spec.TerminationGracePeriodSeconds; g != nil {
			grace = max(grace, *g)
		}
	}
	if start == 0 {
		return text + "; the app is down until a new Pod runs"
	}
	return text + fmt.Sprintf("; expect about %s of downtime, like the last start, and up to %s more until the "+
		"old Pods have ended", max(start, time.Second).Round(time.Second), time.Duration(grace)*time.Second)
}
