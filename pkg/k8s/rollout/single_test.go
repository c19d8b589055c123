package rollout

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Pod without a controller is judged like the Pod of a rollout, except that nothing replaces it.
func TestJudgePod(t *testing.T) {
	made := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "shop-verify-1", Namespace: "shops"}}
	made.Spec.Containers = []corev1.Container{{Name: "shop", Image: "shop:1"}}
	status := func(change func(*corev1.PodStatus)) *corev1.Pod {
		p := made.DeepCopy()
		p.UID = "1"
		p.Status.Phase = corev1.PodRunning
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "shop"}}
		change(&p.Status)
		return p
	}
	ready := func(value corev1.ConditionStatus) func(*corev1.PodStatus) {
		return func(s *corev1.PodStatus) {
			s.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: value}}
			s.ContainerStatuses[0].State.Running = &corev1.ContainerStateRunning{}
		}
	}
	injected := status(ready(corev1.ConditionFalse))
	injected.Spec.Containers = append(injected.Spec.Containers, corev1.Container{Name: "proxy"})
	injected.Status.ContainerStatuses = append(injected.Status.ContainerStatuses, corev1.ContainerStatus{Name: "proxy"})
	injected.Status.ContainerStatuses[1].State.Waiting = &corev1.ContainerStateWaiting{
		Reason: "ErrImagePull", Message: "manifest unknown: not found",
	}
	deleted := status(ready(corev1.ConditionTrue))
	deleted.DeletionTimestamp = &metav1.Time{}
	for _, c := range []struct {
		name    string
		now     *corev1.Pod
		state   State
		reason  Reason
		message string
	}{
		{"ready", status(ready(corev1.ConditionTrue)), Complete, "", "1 of 1 Pods available"},
		{"not ready", status(ready(corev1.ConditionFalse)), Progressing, "", "0 of 1 new Pods available"},
		{"a crash loop", status(func(s *corev1.PodStatus) {
			s.ContainerStatuses[0].RestartCount = 2
			s.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
			s.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 3}
		}), Failed, CrashLoop, "container shop ended with exit code 3"},
		{"an injected container", injected, Failed, ImageNotFound, "container proxy, which was injected into the Pod: "},
		{"evicted", status(func(s *corev1.PodStatus) {
			s.Phase, s.Reason, s.Message = corev1.PodFailed, "Evicted", "the node was low on memory"
		}), Failed, PodLost, "the node rejected or evicted the Pod, with reason Evicted: the node was low on memory"},
		{"deleted", deleted, Failed, PodLost, "Pod shop-verify-1 was deleted"},
		{"gone", nil, Failed, PodLost, "Pod shop-verify-1 was deleted"},
	} {
		v := JudgePod(Observation{}.OfPod("shop", made, c.now))
		if v.State != c.state || v.Reason != c.reason || !strings.Contains(v.Message, c.message) || v.Want != 1 {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

func TestRefusedPod(t *testing.T) {
	for message, want := range map[string]struct {
		reason Reason
		waits  bool
	}{
		`violates PodSecurity "restricted:latest": runAsNonRoot != true (pod must set ` +
			`securityContext.runAsNonRoot=true)`: {PodsRefused, false},
		`error looking up service account shops/default: serviceaccount "default" not found`: {PodsRefused, true},
		"exceeded quota: full, requested: pods=1, used: pods=1, limited: pods=1":             {QuotaExceeded, true},
	} {
		v := RefusedPod(message)
		if v.State != Failed || v.Reason != want.reason || v.Patience > 0 != want.waits {
			t.Errorf("%s: %+v", message, v)
		}
	}
}
