package status

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
)

func job(name string, conditions ...batchv1.JobCondition) batchv1.Job {
	j := batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(time.Unix(1000, 0))}}
	j.Status.Conditions = conditions
	return j
}

func ended(t batchv1.JobConditionType, reason, message string) batchv1.JobCondition {
	return batchv1.JobCondition{Type: t, Status: corev1.ConditionTrue, Reason: reason, Message: message}
}

func runPod(job string, statuses ...corev1.ContainerStatus) corev1.Pod {
	p := corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: statuses}}
	p.Labels = map[string]string{batchv1.JobNameLabel: job}
	return p
}

// The newest run has an outcome, whether the schedule or a user started it, and the reason if it did not succeed.
func TestRunOf(t *testing.T) {
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	exited := func(code int32) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error"}}
	}
	pull := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "no such image"}}
	late := ended(batchv1.JobFailed, "DeadlineExceeded", "Job was active longer than specified deadline")
	for _, c := range []struct {
		job     batchv1.Job
		pods    []corev1.Pod
		outcome Outcome
		message string
	}{
		{job("a"), nil, Waiting, ""},
		{job("a"), []corev1.Pod{runPod("other", corev1.ContainerStatus{Name: "shop", State: running})}, Waiting, ""},
		{job("a"), []corev1.Pod{runPod("a", corev1.ContainerStatus{Name: "shop", State: pull})}, Waiting, "no such image"},
		{job("a"), []corev1.Pod{runPod("a", corev1.ContainerStatus{Name: "shop", State: running})}, RunningRun, ""},
		{
			job("a"), []corev1.Pod{runPod("a", corev1.ContainerStatus{Name: "proxy", State: running},
				corev1.ContainerStatus{Name: "shop", State: exited(0)})},
			RunningRun, "container shop has ended with exit code 0, and the Pod waits for proxy",
		},
		{job("a", ended(batchv1.JobComplete, "", "")), nil, Succeeded, ""},
		{job("a", late), nil, FailedRun, "DeadlineExceeded: Job was active longer than specified deadline"},
		{
			job("a", ended(batchv1.JobFailed, "BackoffLimitExceeded", "too often")),
			[]corev1.Pod{runPod("a", corev1.ContainerStatus{Name: "shop", State: exited(3)})},
			FailedRun, "container shop ended with exit code 3",
		},
	} {
		r := runOf(&c.job, c.pods, "shop")
		if r.Outcome != c.outcome || !strings.Contains(r.Message, c.message) || c.message == "" && r.Message != "" {
			t.Errorf("%v, %v: %s %q, want %s %q", c.job.Status.Conditions, c.pods, r.Outcome, r.Message, c.outcome, c.message)
		}
	}
}

// A run whose Job cannot create a Pod does not count as running. The reason says what to do.
func TestScheduleOfRefusedRuns(t *testing.T) {
	scheduled := metav1.NewTime(time.Unix(1000, 0))
	cron := batchv1.CronJob{ObjectMeta: named("web"), Spec: batchv1.CronJobSpec{Schedule: "* * * * *"}}
	cron.Status.Active, cron.Status.LastScheduleTime = make([]corev1.ObjectReference, 1), &scheduled
	cluster := &fakeCluster{
		inventory: k8s.Inventory{CronJobs: []batchv1.CronJob{cron}}, jobs: []batchv1.Job{job("web-1")},
		warning: `FailedCreate: Error creating: pods "web-1-x" is forbidden: violates PodSecurity "restricted:latest"`,
	}
	d, err := Describe(t.Context(), cluster, Local{Name: "web"}, objects.Settings{Namespace: "locked"})
	if err != nil {
		t.Fatal(err)
	}
	if s := d.Schedule; s.Active != 0 || s.LastRun.Outcome != Waiting || s.LastRun.Job != "web-1" {
		t.Errorf("%+v", s)
	}
	for _, want := range []string{"Job web-1: it cannot create its Pod: FailedCreate: ", "violates PodSecurity",
		"kubectl label namespace locked pod-security.kubernetes.io/enforce=baseline"} {
		if !strings.Contains(d.Reason, want) {
			t.Errorf("reason %q, want %q", d.Reason, want)
		}
	}
}
