package rollout

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The downtime of an app with a claim is as long as its last start, and as its Pods take to end.
func TestDowntime(t *testing.T) {
	const unknown = "stopping the running Pods first: two Pods cannot share claim shop-data; the app is down until a " +
		"new Pod runs"
	spec := corev1.PodSpec{Volumes: []corev1.Volume{{VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "shop-data"},
	}}}}
	running := func(took time.Duration, restarts int32) corev1.Pod {
		created, grace := time.Unix(100, 0), int64(35)
		return corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(created)},
			Spec:       corev1.PodSpec{TerminationGracePeriodSeconds: &grace},
			Status: corev1.PodStatus{
				Conditions: []corev1.PodCondition{{
					Type: corev1.ContainersReady, Status: corev1.ConditionTrue,
					LastTransitionTime: metav1.NewTime(created.Add(took)),
				}, {Type: corev1.PodReady, Status: corev1.ConditionTrue}},
				ContainerStatuses: []corev1.ContainerStatus{{RestartCount: restarts}},
			},
		}
	}
	for _, c := range []struct {
		name string
		pod  corev1.PodSpec
		pods []corev1.Pod
		want string
	}{
		{"known", spec, []corev1.Pod{running(4*time.Second, 0)}, "stopping the running Pods first: two Pods cannot share " +
			"claim shop-data; expect about 4s of downtime, like the last start, and up to 35s more until the old Pods " +
			"have ended"},
		{"no Pods", spec, nil, unknown},
		{"restarted since", spec, []corev1.Pod{running(4*time.Second, 1)}, unknown},
		{"not ready for hours", spec, []corev1.Pod{running(3*time.Hour, 0)}, unknown},
		{"no claim", corev1.PodSpec{}, nil, "stopping the running Pods first; the app is down until a new Pod runs"},
	} {
		if got := downtime(c.pod, c.pods); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
