package rollout

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestSummarize(t *testing.T) {
	now := metav1.Now()
	for _, c := range []struct {
		name string
		pod  *corev1.Pod
		want PodSummary
	}{
		{"running", running(pod("a", true, corev1.ContainerStatus{RestartCount: 2})),
			PodSummary{State: "Running", Ready: true, Restarts: 2}},
		{"not ready", running(pod("a", false)), PodSummary{State: "Running"}},
		{"crash loop", running(pod("a", false, waiting("CrashLoopBackOff", "back-off 10s"))),
			PodSummary{State: "CrashLoopBackOff", Message: "back-off 10s"}},
		{"ended badly", running(pod("a", false, crashed(1, 3, "Error"))),
			PodSummary{State: "Error", Message: "container shop ended with exit code 3", Restarts: 1}},
		{"evicted", &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted",
			Message: "low on memory"}}, PodSummary{State: "Evicted", Message: "low on memory"}},
		{"unschedulable", &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable",
				Message: "0/1 nodes\n are available"}}}},
			PodSummary{State: "Unschedulable", Message: "0/1 nodes are available"}},
		{"an init container waits", &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodPending,
			InitContainerStatuses: []corev1.ContainerStatus{waiting("ImagePullBackOff", "x")},
			ContainerStatuses:     []corev1.ContainerStatus{waiting("PodInitializing", "")}}},
			PodSummary{State: "Init:ImagePullBackOff", Message: "x"}},
		{"terminating", &corev1.Pod{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &now},
			Status: corev1.PodStatus{Phase: corev1.PodRunning,
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}},
			PodSummary{State: "Terminating"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Summarize(c.pod); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// A single observation may see a crash-looping container while it runs and is ready.
func TestBlockedReasonDuringCrashLoop(t *testing.T) {
	now := time.Now()
	back := func(restarts int32, ago time.Duration) corev1.ContainerStatus {
		s := crashed(restarts, 3, "Error")
		s.Ready, s.State = true, corev1.ContainerState{
			Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now.Add(-ago))},
		}
		return s
	}
	for _, c := range []struct {
		name      string
		container corev1.ContainerStatus
		want      string
	}{
		{"just restarted", back(2, 2*time.Second), "container shop ended with exit code 3, twice"},
		{"running for minutes", back(2, 2*time.Minute), ""},
		{"just restarted once", back(1, 2*time.Second), ""},
		{"the node's clock is ahead", back(2, -2*time.Second), "container shop ended with exit code 3, twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, got := BlockedReason(running(pod("a", true, c.container)), now); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func running(p *corev1.Pod) *corev1.Pod {
	p.Status.Phase = corev1.PodRunning
	return p
}
