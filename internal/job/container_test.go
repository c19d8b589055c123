package job

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/rollout"
)

// statusOf returns a container's status: "running", "waiting REASON", or an exit code with its reason.
func statusOf(name, state string, code int32) corev1.ContainerStatus {
	s := corev1.ContainerStatus{Name: name}
	switch what, reason, _ := strings.Cut(state, " "); what {
	case "running":
		s.State.Running = &corev1.ContainerStateRunning{}
	case "waiting":
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: reason, Message: "no such image"}
	default:
		s.State.Terminated = &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: state, FinishedAt: metav1.NewTime(time.Unix(1090, 0)),
		}
	}
	return s
}

// podWith returns a Pod as the kubelet reports it, with the statuses sorted by name.
func podWith(phase corev1.PodPhase, statuses ...corev1.ContainerStatus) *corev1.Pod {
	start := metav1.NewTime(time.Unix(1000, 0))
	return &corev1.Pod{Status: corev1.PodStatus{Phase: phase, StartTime: &start, ContainerStatuses: statuses}}
}

// Only the app's container decides when a Job has ended, and how, wherever the kubelet lists it.
func TestContainer(t *testing.T) {
	aaa := func(state string, code int32) corev1.ContainerStatus { return statusOf("aaa-proxy", state, code) }
	zzz := func(state string, code int32) corev1.ContainerStatus { return statusOf("zzz-proxy", state, code) }
	app := func(state string, code int32) corev1.ContainerStatus { return statusOf("shop", state, code) }
	const running, succeeded, failed = corev1.PodRunning, corev1.PodSucceeded, corev1.PodFailed
	for _, c := range []struct {
		name    string
		pod     *corev1.Pod
		started bool
		ended   bool
		want    string // the verdict's error
	}{
		{"only the proxies run", podWith(running, aaa("running", 0), app("waiting ContainerCreating", 0),
			zzz("running", 0)), false, false, ""},
		{"a proxy has ended before the app starts", podWith(running, aaa("Completed", 0),
			app("waiting ContainerCreating", 0)), false, false, ""},
		{"the app runs", podWith(running, aaa("running", 0), app("running", 0)), true, false, ""},
		{"a proxy has failed", podWith(running, aaa("Error", 1), app("running", 0)), true, false, ""},
		{"the app succeeded, proxies run", podWith(running, aaa("running", 0), app("Completed", 0), zzz("running", 0)),
			true, true, ""},
		{"the app failed, proxies run", podWith(running, aaa("running", 0), app("Error", 3), zzz("running", 0)),
			true, true, "the container exited with code 3"},
		{"the app failed, a proxy succeeded", podWith(failed, aaa("Completed", 0), app("Error", 3)),
			true, true, "the container exited with code 3"},
		{"the app succeeded, a proxy failed", podWith(failed, aaa("Error", 1), app("Completed", 0)), true, true, ""},
		{"the app succeeded, a proxy cannot start", podWith(running, aaa("waiting ImagePullBackOff", 0),
			app("Completed", 0)), true, true, ""},
		{"the phase is still to come", podWith(running, app("Error", 3)), true, false, ""},
		{"alone", podWith(succeeded, app("Completed", 0)), true, true, ""},
		{"out of memory", podWith(failed, app("OOMKilled", 137)), true, true,
			"the container exited with code 137: OOMKilled"},
		{"no status of it", podWith(failed, aaa("Completed", 0)), true, true,
			"the Pod failed: its container shop never ended"},
	} {
		app := container("shop")
		if got := app.hasStarted(c.pod); got != c.started {
			t.Errorf("%s: started %t, want %t", c.name, got, c.started)
		}
		if got := app.hasEnded(c.pod); got != c.ended {
			t.Errorf("%s: ended %t, want %t", c.name, got, c.ended)
		}
		if !c.ended {
			continue
		}
		got := ""
		if err := app.verdict(c.pod); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: verdict %q, want %q", c.name, got, c.want)
		}
	}
}

// While a native sidecar ends, which may take its whole grace period, the app's container already has its verdict.
func TestContainerWithNativeSidecar(t *testing.T) {
	p := podWith(corev1.PodRunning, statusOf("shop", "Error", 3))
	p.Status.InitContainerStatuses = []corev1.ContainerStatus{statusOf("aaa-proxy", "running", 0)}
	if app := container("shop"); !app.hasEnded(p) || app.verdict(p) == nil {
		t.Errorf("ended %t, verdict %v", app.hasEnded(p), app.verdict(p))
	}
}

// The exit code of a container that ran longer than its timeout is 124, even if the Pod has not ended.
func TestContainerTimeout(t *testing.T) {
	limit := int64(90)
	evicted := podWith(corev1.PodFailed)
	evicted.Status.Reason, evicted.Status.Message = "Evicted", "low on memory"
	killed := podWith(corev1.PodFailed, statusOf("shop", "Error", 137))
	killed.Status.Reason = "Evicted"
	exceeded := podWith(corev1.PodFailed)
	exceeded.Status.Reason = "DeadlineExceeded"
	late := podWith(corev1.PodRunning, statusOf("shop", "Error", 143), statusOf("zzz-proxy", "running", 0))
	late.Spec.ActiveDeadlineSeconds = &limit
	inTime := late.DeepCopy()
	*inTime.Spec.ActiveDeadlineSeconds = limit + 1
	lateButGood := podWith(corev1.PodSucceeded, statusOf("shop", "Completed", 0))
	lateButGood.Spec.ActiveDeadlineSeconds = &limit
	seenLate := inTime.DeepCopy()
	seenLate.Status.Phase, seenLate.Status.Reason = corev1.PodFailed, "DeadlineExceeded"
	goodSeenLate := seenLate.DeepCopy()
	goodSeenLate.Status.ContainerStatuses[0].State.Terminated.ExitCode = 0
	unknown := seenLate.DeepCopy()
	unknown.Status.ContainerStatuses[0].State.Terminated.FinishedAt = metav1.Time{}
	for _, c := range []struct {
		name string
		pod  *corev1.Pod
		want string
		code int // 0 means no *ExitError
	}{
		{"evicted", evicted, "the Pod failed: Evicted low on memory", 0},
		{"killed", killed, "the container exited with code 137: Evicted", 137},
		{"exceeded", exceeded, "the container exited with code 124: it ran longer than its timeout", 124},
		{"late", late, "the container exited with code 124: it ran longer than its timeout", 124},
		{"in time", inTime, "the container exited with code 143", 143},
		{"late but good", lateButGood, "", 0},
		{"in time, seen late", seenLate, "the container exited with code 143", 143},
		{"good in time, seen late", goodSeenLate, "", 0},
		{"no status of it", unknown, "the container exited with code 124: it ran longer than its timeout", 124},
	} {
		err := container("shop").verdict(c.pod)
		code, text := 0, ""
		if exit, ok := errors.AsType[*ExitError](err); ok {
			code = exit.Code
		}
		if err != nil {
			text = err.Error()
		}
		if text != c.want || code != c.code {
			t.Errorf("%s: code %d, %q; want %d, %q", c.name, code, text, c.code, c.want)
		}
	}
}

// A sidecar that cannot start does not block the app's container, but a native sidecar does until the app starts.
func TestContainerBlocked(t *testing.T) {
	const pull = "waiting ImagePullBackOff"
	native := func(p *corev1.Pod) *corev1.Pod {
		p.Status.InitContainerStatuses = []corev1.ContainerStatus{statusOf("init-proxy", pull, 0)}
		return p
	}
	waits := statusOf("shop", "waiting PodInitializing", 0)
	for _, c := range []struct {
		name string
		pod  *corev1.Pod
		want bool
	}{
		{"the app", podWith(corev1.PodPending, statusOf("shop", pull, 0)), true},
		{"a sidecar", podWith(corev1.PodPending, statusOf("aaa-proxy", pull, 0), waits), false},
		{"a sidecar, without a status of the app", podWith(corev1.PodPending, statusOf("aaa-proxy", pull, 0)), false},
		{"a native sidecar", native(podWith(corev1.PodPending, waits)), true},
		{"a native sidecar, while the app runs", native(podWith(corev1.PodRunning, statusOf("shop", "running", 0))), false},
		{"a native sidecar, after the app", native(podWith(corev1.PodRunning, statusOf("shop", "Error", 3))), false},
	} {
		if reason, message := container("shop").blocked(c.pod, time.Now()); (reason != "") != c.want {
			t.Errorf("%s: blocked by %q: %s", c.name, reason, message)
		}
	}
}

// A Job whose claim is being deleted fails at once, because no new Pod may mount the claim.
func TestDeletedClaim(t *testing.T) {
	const message = `0/1 nodes are available: persistentvolumeclaim "shop-data" is being deleted. not found`
	if got := deletedClaim(rollout.PodSummary{State: "Unschedulable", Message: message}); got != "shop-data" {
		t.Errorf("got %q", got)
	}
	for _, s := range []rollout.PodSummary{
		{State: "Unschedulable", Message: "0/1 nodes are available: 1 Insufficient cpu."},
		{State: "Running", Message: message},
	} {
		if got := deletedClaim(s); got != "" {
			t.Errorf("%+v: got %q", s, got)
		}
	}
}
