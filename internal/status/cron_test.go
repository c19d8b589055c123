package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
)

func job(name string, conditions ...batchv1.JobCondition) batchv1.Job {
	j := batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "prod", CreationTimestamp: metav1.NewTime(time.Unix(1000, 0)),
	}}
	j.Status.Conditions = conditions
	return j
}

func ended(t batchv1.JobConditionType, reason, message string) batchv1.JobCondition {
	return batchv1.JobCondition{Type: t, Status: corev1.ConditionTrue, Reason: reason, Message: message}
}

func runPod(job string, statuses ...corev1.ContainerStatus) corev1.Pod {
	p := corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: statuses}}
	p.Labels = map[string]string{batchv1.JobNameLabel: job, "app": "shop"}
	p.Spec.Containers = []corev1.Container{{Name: "shop"}}
	return p
}

func withNativeSidecar(p corev1.Pod, s corev1.ContainerStatus) corev1.Pod {
	p.Status.InitContainerStatuses = []corev1.ContainerStatus{s}
	return p
}

// A run that another container keeps running blocks later runs, even if a user's run is newer. A run that a user
// started blocks none.
func TestScheduleOfBlockedRuns(t *testing.T) {
	exited := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	stuck := func(job string) corev1.Pod {
		return runPod(job, corev1.ContainerStatus{Name: "shop", State: exited},
			corev1.ContainerStatus{Name: "zzz-proxy", State: running})
	}
	byHand := job("by-hand")
	byHand.Annotations = map[string]string{"cronjob.kubernetes.io/instantiate": "manual"}
	cron := batchv1.CronJob{ObjectMeta: named("shop"), Spec: batchv1.CronJobSpec{Schedule: "* * * * *"}}
	cluster := &fakeCluster{
		inventory: k8s.Inventory{CronJobs: []batchv1.CronJob{cron}}, jobs: []batchv1.Job{byHand, job("shop-1")},
		pods: []corev1.Pod{stuck("by-hand"), stuck("shop-1")},
	}
	d, err := Describe(t.Context(), cluster, Local{Name: "shop"}, objects.Settings{Namespace: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(d.Reason, "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "Job by-hand: ") || strings.Contains(lines[0], "no further run") ||
		!strings.HasPrefix(lines[2], "Job shop-1: ") || !strings.Contains(lines[2], "no further run starts") {
		t.Errorf("reason %q", d.Reason)
	}
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
			RunningRun, "container shop has ended with exit code 0, but container proxy, which is not the app's own, keeps " +
				"the Pod running, so no further run starts\nkubectl -n prod delete job a ends this run; ",
		},
		{ // Kubernetes ends a native sidecar
			job("a"), []corev1.Pod{withNativeSidecar(runPod("a", corev1.ContainerStatus{Name: "shop", State: exited(0)}),
				corev1.ContainerStatus{Name: "proxy", State: running})},
			RunningRun, "",
		},
		{job("a", ended(batchv1.JobComplete, "", "")), nil, Succeeded, ""},
		{job("a", late), nil, FailedRun, "DeadlineExceeded: Job was active longer than specified deadline"},
		{
			job("a", ended(batchv1.JobFailed, "BackoffLimitExceeded", "too often")),
			[]corev1.Pod{runPod("a", corev1.ContainerStatus{Name: "shop", State: exited(3)})},
			FailedRun, "container shop ended with exit code 3",
		},
		{ // both failed: the app's own container counts
			job("a", ended(batchv1.JobFailed, "BackoffLimitExceeded", "too often")),
			[]corev1.Pod{runPod("a", corev1.ContainerStatus{Name: "shop", State: exited(3)},
				corev1.ContainerStatus{Name: "zzz-proxy", State: exited(137)})},
			FailedRun, "container shop ended with exit code 3",
		},
		{
			job("a", ended(batchv1.JobFailed, "BackoffLimitExceeded", "too often")),
			[]corev1.Pod{runPod("a", corev1.ContainerStatus{Name: "shop", State: exited(0)},
				corev1.ContainerStatus{Name: "zzz-proxy", State: exited(1)})},
			FailedRun, "container zzz-proxy, which is not the app's own, ended with exit code 1; " +
				"container shop ended with exit code 0",
		},
	} {
		r := runOf(&c.job, c.pods, "shop")
		if r.Outcome != c.outcome || !strings.Contains(r.Message, c.message) || c.message == "" && r.Message != "" {
			t.Errorf("%v, %v: %s %q, want %s %q", c.job.Status.Conditions, c.pods, r.Outcome, r.Message, c.outcome, c.message)
		}
	}
}

// The overview names the newest run if its Job has no Pod.
func TestRunsWithoutPod(t *testing.T) {
	cron := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "c"}}
	started := metav1.NewTime(time.Unix(1000, 0))
	at := func(second int64, owner types.UID, s batchv1.JobStatus) batchv1.Job {
		j := batchv1.Job{Status: s}
		j.Name, j.CreationTimestamp = fmt.Sprintf("web-%d", second), metav1.NewTime(time.Unix(second, 0))
		j.OwnerReferences = []metav1.OwnerReference{{UID: owner}}
		return j
	}
	without, running := batchv1.JobStatus{StartTime: &started}, batchv1.JobStatus{StartTime: &started, Active: 1}
	for name, c := range map[string]struct {
		runs []batchv1.Job
		want string
	}{
		"no run":                {nil, ""},
		"the newest has no Pod": {[]batchv1.Job{at(2, "c", without), at(1, "c", running)}, "Job web-2 has no Pod"},
		"an earlier has none":   {[]batchv1.Job{at(1, "c", without), at(2, "c", running)}, ""},
		"another app's":         {[]batchv1.Job{at(2, "other", without)}, ""},
		"it has not begun":      {[]batchv1.Job{at(2, "c", batchv1.JobStatus{})}, ""},
		"it has ended":          {[]batchv1.Job{at(2, "c", batchv1.JobStatus{StartTime: &started, Succeeded: 1})}, ""},
		"its Pod is not yet counted": {[]batchv1.Job{at(2, "c", batchv1.JobStatus{StartTime: &started,
			UncountedTerminatedPods: &batchv1.UncountedTerminatedPods{Failed: []types.UID{"p"}}})}, ""},
	} {
		got := strings.Join(runWarnings(cron, c.runs), "; ")
		if (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
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
		warning: `FailedCreate: Error creating: pods "web-1-x" is forbidden: violates PodSecurity "restricted:latest": ` +
			`(pod or container "web" must set securityContext.runAsNonRoot=true)`,
	}
	d, err := Describe(t.Context(), cluster, Local{Name: "web"}, objects.Settings{Namespace: "locked"})
	if err != nil {
		t.Fatal(err)
	}
	if s := d.Schedule; s.Active != 0 || s.LastRun.Outcome != Waiting || s.LastRun.Job != "web-1" {
		t.Errorf("%+v", s)
	}
	for _, want := range []string{"Job web-1: it cannot create its Pod: FailedCreate: ", "violates PodSecurity",
		"\nset pod: {security: restricted} in the infraspec"} {
		if !strings.Contains(d.Reason, want) {
			t.Errorf("reason %q, want %q", d.Reason, want)
		}
	}
}
