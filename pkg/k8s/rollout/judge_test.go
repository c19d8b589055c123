package rollout

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
)

// observe returns an observation of a Deployment with one replica at revision 2, and its ReplicaSets "old" and "new".
func observe(status appsv1.DeploymentStatus, pods ...*corev1.Pod) Observation {
	one, yes := int32(1), true
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Name:        "shop",
			UID:         "d",
			Generation:  2,
			Annotations: map[string]string{metadata.RevisionAnnotation: "2"},
		},
		Spec:   appsv1.DeploymentSpec{Replicas: &one, Template: template("new", "")},
		Status: status,
	}
	set := func(name, revision string) *appsv1.ReplicaSet {
		return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID(name), Annotations: map[string]string{metadata.RevisionAnnotation: revision},
			OwnerReferences: []metav1.OwnerReference{{UID: "d", Controller: &yes}},
		}, Spec: appsv1.ReplicaSetSpec{Template: template(name, name+"-hash")}}
	}
	return Observation{Deployment: d, ReplicaSets: []*appsv1.ReplicaSet{set("old", "1"), set("new", "2")}, Pods: pods}
}

// template returns a pod template with an image. A ReplicaSet's template also has a hash.
func template(image, hash string) corev1.PodTemplateSpec {
	t := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "shop", Image: image}}}}
	if hash != "" {
		t.Labels = map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: hash}
	}
	return t
}

// recreating returns an observation while a Recreate waits for the old Pods: there is no new ReplicaSet yet, and the
// Deployment still has the old revision.
func recreating(pods ...*corev1.Pod) Observation {
	o := observe(observed, pods...)
	o.ReplicaSets = o.ReplicaSets[:1]
	o.Deployment.Annotations[metadata.RevisionAnnotation] = "1"
	return o
}

func pod(set string, ready bool, containers ...corev1.ContainerStatus) *corev1.Pod {
	yes, status := true, corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:            set + "-pod",
			OwnerReferences: []metav1.OwnerReference{{UID: types.UID(set), Controller: &yes}},
		},
		Status: corev1.PodStatus{
			ContainerStatuses: containers,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: status}},
		},
	}
}

func waiting(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name:  "shop",
		Image: "127.0.0.1:25000/shop:1",
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}
}

func crashed(restarts int32, code int32, reason string) corev1.ContainerStatus {
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}}
	return corev1.ContainerStatus{Name: "shop", RestartCount: restarts, State: ended, LastTerminationState: ended}
}

// crashedAfter returns a container whose last run ended with code, and the run before for another reason.
func crashedAfter(before string, code int32) corev1.ContainerStatus {
	s := crashed(1, code, "Error")
	s.LastTerminationState = crashed(1, 137, before).State
	return s
}

var (
	notObserved = appsv1.DeploymentStatus{ObservedGeneration: 1}
	observed    = appsv1.DeploymentStatus{ObservedGeneration: 2}
	created     = appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 1, UpdatedReplicas: 1}
	available   = appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}
)

// refused returns an observation in which the API server rejects the Pods of one ReplicaSet.
func refused(set int, message string) Observation {
	o := observe(observed)
	o.ReplicaSets[set].Status.Conditions = []appsv1.ReplicaSetCondition{
		{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Message: message},
	}
	return o
}

func scaledToNone(sets int) Observation {
	o := observe(observed)
	*o.Deployment.Spec.Replicas = 0
	o.ReplicaSets = o.ReplicaSets[:sets]
	return o
}

func before() Observation {
	o := observe(available, pod("new", true))
	o.Generation = 3
	return o
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name    string
		o       Observation
		state   State
		reason  Reason
		message string
	}{
		{"no Deployment", Observation{}, Failed, NoDeployment, "no longer exists"},
		{"controller has not seen it", observe(notObserved), Progressing, stillStarting, "controller"},
		{"stale status that looks complete",
			observe(appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1},
				pod("old", true)), Progressing, stillStarting, "controller"},
		{"no new pod", observe(observed, pod("old", true)), Progressing, "", "0 of 1 new Pods created"},
		{"new pod not ready", observe(created, pod("new", false)), Progressing, "", "0 of 1 new Pods available"},
		{"an old pod runs on", observe(available, pod("new", true), pod("old", true)), Progressing, "",
			"waiting for old Pod old-pod to end"},
		{"complete", observe(available, pod("new", true)), Complete, "", "1 of 1 Pods available"},
		{"an old pod is terminating", observe(available, pod("new", true), terminating()), Complete, "",
			"1 of 1 Pods available"},
		{"an old pod on a dead node", onDeadNode(observe(available, pod("new", true), terminating())), Complete, "",
			"; 1 old Pod is still terminating: old-pod on node node-1 (not ready)"},
		{"a Recreate waits for an ending pod", waitsForOld(recreating(terminating())), Progressing, "",
			"0 of 1 new Pods created; waiting for old Pod old-pod (grace period 30s) to end"},
		{"a Recreate waits for a dead node", onDeadNode(waitsForOld(recreating(terminating()))), Progressing, "",
			"waiting for old Pod old-pod on node node-1, which is not ready, to end"},
		{"lost pods of an available version", withLost(observe(available, pod("new", true)), 2), Complete, "", "1 of 1"},
		{"lost pods of another day", lostBefore(2), Progressing, "", "0 of 1"},
		{"an old crashing pod is not the new version's failure",
			observe(created, pod("new", false), pod("old", false, crashed(9, 1, "Error"))), Progressing, "", "0 of 1"},
		{"an old pod that fails during a Recreate", recreating(pod("old", false, waiting("ImagePullBackOff", ""))),
			Progressing, "", "0 of 1"},
		{"creating", observe(created, pod("new", false, waiting("ContainerCreating", ""))), Progressing, "", "0 of 1"},
		{"one restart is allowed", observe(created, pod("new", false, alive(1))), Progressing, "", "0 of 1"},
		{"a first end is allowed", observe(created, pod("new", false, crashed(0, 1, "Error"))), Progressing, "", "0 of 1"},
		{"an old quota failure", refused(0, "exceeded quota"), Progressing, "", "0 of 1"},
		{"no ReplicaSet yet at zero replicas", scaledToNone(0), Progressing, "", "created"},
		{"zero replicas", scaledToNone(2), Complete, "", "scaled to 0, so no Pod ran"},
		{"an observation from before the change", before(), Progressing, stillStarting, "controller"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Judge(c.o)
			if v.State != c.state || v.Reason != c.reason || !strings.Contains(v.Message, c.message) {
				t.Errorf("got state %d, reason %q, %q; want %d, %q, %q", v.State, v.Reason, v.Message, c.state, c.reason, c.message)
			}
		})
	}
}

func alive(restarts int32) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name:         "shop",
		RestartCount: restarts,
		State:        corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
	}
}

// pending returns an observation of a pod without a node.
func pending(message string) Observation {
	p := pod("new", false)
	p.Status.Phase = corev1.PodPending
	p.Status.Conditions = append(
		p.Status.Conditions,
		corev1.PodCondition{
			Type:    corev1.PodScheduled,
			Status:  corev1.ConditionFalse,
			Reason:  corev1.PodReasonUnschedulable,
			Message: message,
		},
	)
	return observe(created, p)
}

// withEvents adds events about the new pod, in order, each "Reason: message".
func withEvents(o Observation, events ...string) Observation {
	for i, text := range events {
		reason, message, _ := strings.Cut(text, ": ")
		e := &corev1.Event{InvolvedObject: corev1.ObjectReference{UID: "pod"}, Reason: reason, Message: message}
		e.LastTimestamp.Time = time.Unix(int64(i), 0)
		o.Events = append(o.Events, e)
	}
	o.Pods[0].UID = "pod"
	return o
}

// terminating returns an old Pod that is ending.
func terminating() *corev1.Pod {
	p := pod("old", false)
	grace := int64(30)
	p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &metav1.Time{Time: time.Unix(30, 0)}, &grace
	return p
}

// waitsForOld switches to the Recreate strategy.
func waitsForOld(o Observation) Observation {
	o.Deployment.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
	return o
}

// onDeadNode puts the last Pod on a node that does not answer. The node controller made the Pod unready.
func onDeadNode(o Observation) Observation {
	p := o.Pods[len(o.Pods)-1]
	p.Spec.NodeName = "node-1"
	p.Status.Conditions = append(p.Status.Conditions,
		corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue})
	return o
}

// lost returns an observation of new Pods that their node evicted.
func lost(n int) Observation { return withLost(observe(created), n) }

// lostBefore returns an observation of Pods of the same ReplicaSet that had been evicted before the change.
func lostBefore(n int) Observation {
	o := lost(n)
	pods := make([]corev1.Pod, 0, n)
	for _, p := range o.Pods {
		pods = append(pods, *p)
	}
	o.Before = FailedPods(pods)
	return o
}

func withLost(o Observation, n int) Observation {
	for i := range n {
		p := pod("new", false)
		p.UID = types.UID(fmt.Sprint("lost-", i))
		p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "Evicted",
			"The node was low on resource: memory."
		o.Pods = append(o.Pods, p)
	}
	return o
}

const (
	pullNope = `rpc error: code = NotFound desc = failed to pull and unpack image "127.0.0.1:25000/shop:1": failed ` +
		`to resolve reference "127.0.0.1:25000/shop:1": 127.0.0.1:25000/shop:1: not found`
	pullDenied = `failed to pull and unpack image "docker.io/x/y:1": failed to resolve reference "docker.io/x/y:1": ` +
		`pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: ` +
		`authorization failed`
	noExec = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create ` +
		`failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory: unknown`
	refusedGet = `Startup probe failed: Get "http://10.244.0.9:8080/healthz": dial tcp 10.244.0.9:8080: connect: ` +
		`connection refused`
)

// Judge recognizes each failure by the messages of kubelet, scheduler and controllers.
func TestJudgeFailures(t *testing.T) {
	for _, c := range []struct {
		o       Observation
		state   State
		reason  Reason
		message string
	}{
		{observe(created, pod("new", false, waiting("ErrImagePull", pullNope))), Failed, ImageNotFound,
			"image 127.0.0.1:25000/shop:1 does not exist"},
		{observe(created, pod("new", false,
			waiting("ImagePullBackOff", `Back-off pulling image "127.0.0.1:25000/shop:1": ErrImagePull: `+pullNope))), Failed,
			ImageNotFound, "image 127.0.0.1:25000/shop:1 does not exist"},
		{withEvents(observe(created,
			pod("new", false, waiting("ImagePullBackOff", `Back-off pulling image "127.0.0.1:25000/shop:1"`))),
			"Failed: Failed to pull image: "+pullNope), Failed, ImageNotFound, "image 127.0.0.1:25000/shop:1 does not exist"},
		{observe(created, pod("new", false, waiting("ErrImageNeverPull", ""))), Stalled, ImageNotFound, "is not on the node"},
		{observe(created, pod("new", false, waiting("ErrImagePull", pullDenied))), Failed, RegistryRefused,
			"does not allow the node to pull image"},
		{observe(created, pod("new", false,
			waiting("ErrImagePull", "failed to do request: dial tcp: lookup r: no such host"))),
			Stalled, ImagePull, "no such host"},
		{observe(created, pod("new", false, waiting("ErrImagePull", "no match for platform in manifest: not found"))), Failed,
			WrongArchitecture, "not built for the node's platform"},
		{observe(created, pod("new", false, waiting("CreateContainerConfigError", `secret "x" not found`))), Failed,
			MissingSecret,
			`secret "x" not found`},
		{observe(created, pod("new", false, waiting("CreateContainerConfigError", "couldn't find key A in Secret ns/x"))),
			Failed,
			MissingSecret, "key A"},
		{observe(created, pod("new", false,
			waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"))), Failed, BadConfig,
			"runAsNonRoot"},
		{observe(created, pod("new", false, waiting("CreateContainerConfigError",
			"failed to sync secret cache: timed out waiting for the condition"))), Stalled, TimedOut, "cannot start yet"},
		{observe(created, pod("new", false, waiting("CreateContainerConfigError",
			"services have not yet been read at least once, cannot construct envvars"))), Stalled, TimedOut, "services"},
		{observe(created, pod("new", false, waiting("CreateContainerError",
			`failed to reserve container name "a_b": name "a_b" is reserved for "1f"`))), Stalled, TimedOut, "reserve"},
		{observe(created, pod("new", false, waiting("CreateContainerError", "context deadline exceeded"))), Stalled, TimedOut,
			"deadline"},
		{observe(created, pod("new", false, waiting("RunContainerError", noExec))), Failed, CommandNotFound,
			"the image has no /nope"},
		{observe(created, pod("new", false, waiting("RunContainerError", `exec: "/data": permission denied: unknown`))),
			Failed,
			CannotStart, "/data is not executable"},
		{observe(created, pod("new", false, waiting("RunContainerError", "exec format error"))), Failed, WrongArchitecture,
			"another processor"},
		{observe(created, pod("new", false, waiting("CreateContainerError", "the device is busy"))), Failed, CannotStart,
			"the device is busy"},
		{observe(created, pod("new", false, crashed(1, 3, "Error"))), Failed, CrashLoop, "ended with exit code 3, twice"},
		{observe(created, pod("new", false, crashed(1, 0, "Completed"))), Failed, CrashLoop, "ended with exit code 0, twice"},
		{observe(created, pod("new", false, crashed(1, 139, "Error"))), Failed, CrashLoop, "signal 11, segmentation fault"},
		{observe(created, pod("new", false, alive(2))), Failed, CrashLoop, "ended twice"},
		{observe(created, pod("new", false, crashed(1, 137, "OOMKilled"))), Failed, OutOfMemory, "memory limit"},
		{observe(created, pod("new", false, crashedAfter(oomKilled, 137))), Failed, OutOfMemory, "memory limit"},
		{observe(created, pod("new", false, crashedAfter(oomKilled, 3))), Failed, CrashLoop, "exit code 3"},
		{observe(created, pod("new", false, crashedAfter("Error", 137))), Failed, CrashLoop, "signal 9"},
		{withEvents(observe(created, pod("new", false, crashed(1, 2, "Error"))),
			"Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500",
			"Killing: Container shop failed liveness probe, will be restarted"), Failed, LivenessKilled,
			"killed twice by its liveness probe: the app answered with HTTP status 500"},
		{withEvents(observe(created, pod("new", false, alive(2))), "Unhealthy: "+refusedGet,
			"Killing: Container shop failed startup probe, will be restarted"), Failed, ProbeFailing,
			"by its startup probe: GET /healthz on port 8080: connection refused"},
		{killedAtStart(1, refusedGet), Failed, ProbeFailing,
			"container shop was killed once by its startup probe after 2m30s: GET /healthz on port 8080: connection refused"},
		{killedAtStart(1, "Startup probe failed: HTTP probe failed with statuscode: 503"), Stalled, ProbeFailing,
			"HTTP status 503"},
		{killedLate(false), Failed, ProbeFailing,
			"container shop was killed once by its liveness probe after 2m30s: GET /healthz on port 8080: connection refused"},
		{killedLate(true), Progressing, "", "0 of 1"},
		{withEvents(observe(created, pod("new", false, alive(0))),
			"Unhealthy: Readiness probe failed: dial tcp 10.0.0.9:8080: connect: connection refused"), Stalled, ProbeFailing,
			"the readiness probe of Pod new-pod fails: connect to port 8080: connection refused"},
		{withEvents(observe(created, pod("new", false, alive(0))), "Unhealthy: "+refusedGet), Stalled, ProbeFailing,
			"the startup probe of Pod new-pod fails: GET /healthz on port 8080: connection refused"},
		{withEvents(observe(created, pod("new", false, alive(0))),
			"Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404"), Stalled, ProbeFailing,
			"HTTP status 404"},
		{pending("0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No victims"), Stalled,
			Unschedulable, "no node can run Pod new-pod: 0/1 nodes are available: 1 Insufficient cpu."},
		{withEvents(pending("0/1 nodes are available: 1 Insufficient cpu."), "TriggeredScaleUp: pod triggered scale-up"),
			Stalled,
			Unschedulable, "Insufficient cpu"},
		{pending("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."), Stalled, VolumeNotBound,
			"unbound"},
		{withEvents(pendingMount(),
			`FailedMount: MountVolume.SetUp failed for volume "host": hostPath type check failed: /nope `+
				`is not a directory`), Stalled, VolumeNotMounted, "/nope is not a directory"},
		{withEvents(pendingMount(), "FailedMount: failed to sync configmap cache: timed out waiting for the condition"),
			Progressing, "", "0 of 1"},
		{refused(1, `pods "x" is forbidden: exceeded quota: q, requested: cpu=2`), Stalled, QuotaExceeded,
			"exceeded quota: q"},
		{refused(1, `admission webhook "policy" denied the request: no`), Failed, PodsRefused, "denied the request"},
		{refused(1, `failed calling webhook "policy": context deadline exceeded`), Stalled, PodsRefused,
			"failed calling webhook"},
		{lost(1), Progressing, "", "0 of 1"},
		{lost(2), Failed, PodLost, "the nodes rejected or evicted 2 Pods, the last one with reason Evicted: "},
	} {
		v := Judge(c.o)
		if v.State != c.state || v.Reason != c.reason || !strings.Contains(v.Message, c.message) {
			t.Errorf("got state %d, reason %q, %q; want %d, %q, %q", v.State, v.Reason, v.Message, c.state, c.reason, c.message)
		}
	}
}

// More allowed restarts give a container that its startup probe kills more attempts.
func TestAllowedStarts(t *testing.T) {
	for allowed, want := range map[int]State{0: Failed, 1: Failed, 2: Stalled} {
		o := killedAtStart(1, refusedGet)
		o.AllowRestarts = &allowed
		if v := Judge(o); v.State != want {
			t.Errorf("%d allowed: state %d, want %d", allowed, v.State, want)
		}
	}
}

// killedAtStart returns an observation of a container that its startup probe has killed.
func killedAtStart(times int32, event string) Observation {
	o := withEvents(observe(created, pod("new", false, alive(times))), "Unhealthy: "+event,
		"Killing: Container shop failed startup probe, will be restarted")
	o.Pods[0].Spec.Containers = []corev1.Container{
		{Name: "shop", StartupProbe: &corev1.Probe{PeriodSeconds: 5, FailureThreshold: 30}},
	}
	return o
}

// killedLate returns an observation of a container that its late liveness probe has killed, before or after its Pod was
// ready.
func killedLate(wasReady bool) Observation {
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	p := pod("new", false, alive(1))
	p.Spec.Containers = []corev1.Container{{
		Name: "shop", ReadinessProbe: &corev1.Probe{PeriodSeconds: 2, FailureThreshold: 15},
		LivenessProbe: &corev1.Probe{InitialDelaySeconds: 70, PeriodSeconds: 10, FailureThreshold: 9},
	}}
	p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
		StartedAt: metav1.NewTime(began), FinishedAt: metav1.NewTime(began.Add(150 * time.Second)),
	}
	changed := began.Add(-time.Second)
	if wasReady {
		changed = began.Add(100 * time.Second)
	}
	p.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(changed)},
	}
	return withEvents(observe(created, p),
		`Unhealthy: Liveness probe failed: Get "http://10.0.0.9:8080/healthz": dial tcp 10.0.0.9:8080: connect: `+
			`connection refused`,
		"Killing: Container shop failed liveness probe, will be restarted")
}

func pendingMount() Observation {
	p := pod("new", false, waiting("ContainerCreating", ""))
	p.Status.Phase = corev1.PodPending
	return observe(created, p)
}

// A rollout whose new Pods are all available is up, even while it waits for old Pods.
func TestUp(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Observation
		want bool
	}{
		{"an old pod runs on", observe(available, pod("new", true), pod("old", true)), true},
		{"a new pod is not ready", observe(created, pod("new", false), pod("old", true)), false},
		{"a Recreate waits for an old pod", waitsForOld(recreating(terminating())), false},
		{"an observation from before the change", before(), false},
	} {
		if v := Judge(c.o); v.Up != c.want || v.State != Progressing {
			t.Errorf("%s: up %v, state %d; want up %v, in progress", c.name, v.Up, v.State, c.want)
		}
	}
}

// While the old Pod keeps the new one from being created, the verdict names it.
func TestOldPod(t *testing.T) {
	if v := Judge(waitsForOld(recreating(terminating()))); v.OldPod != "old-pod" {
		t.Errorf("got old Pod %q, want old-pod", v.OldPod)
	}
	if v := Judge(observe(available, pod("new", true), pod("old", true))); v.OldPod != "" {
		t.Errorf("got old Pod %q although the new one is available", v.OldPod)
	}
	for at, overdue := range map[int64]bool{20: false, 60: true} { // it may take 30 s, and its node answers
		o := waitsForOld(recreating(on("node-2", terminating())))
		o.At = time.Unix(at, 0)
		if v := Judge(o); v.Overdue != overdue || v.Node != "" {
			t.Errorf("after %d s: overdue %t, node %q", at, v.Overdue, v.Node)
		}
	}
}

// A node that answers again is not dead: its kubelet has updated all of the Pod's conditions.
func TestNodeIsBack(t *testing.T) {
	o := onDeadNode(observe(available, pod("new", true), terminating()))
	o.Pods[1].Status.Conditions[1].Status = corev1.ConditionFalse
	if v := Judge(o); v.Message != "1 of 1 Pods available" {
		t.Errorf("got %q, want no mention of the node", v.Message)
	}
}

func TestAllowedRestarts(t *testing.T) {
	for allowed, want := range map[int]State{0: Failed, 1: Failed, 2: Progressing} {
		o := observe(created, pod("new", false, crashed(1, 1, "Error")))
		o.AllowRestarts = &allowed
		if v := Judge(o); v.State != want {
			t.Errorf("%d allowed: state %d, want %d", allowed, v.State, want)
		}
	}
}

// stillUnmounted is the kubelet's event about a volume that it waits for, without a cause.
const stillUnmounted = "FailedMount: Unable to attach or mount volumes: unmounted volumes=[b], " +
	"unattached volumes=[], failed to process volumes=[]: timed out waiting for the condition"

// A problem that may resolve itself gets some time, or the time of the whole rollout while resources are being freed.
func TestPatience(t *testing.T) {
	ending := pending("0/1 nodes are available: 1 Insufficient cpu.")
	old := pod("old", true)
	old.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	ending.Pods = append(ending.Pods, old)
	for _, c := range []struct {
		o    Observation
		want time.Duration
	}{
		{pending("0/1 nodes are available: 1 Insufficient cpu."), schedulePatience},
		{withEvents(pending("0/1 nodes are available: 1 Insufficient cpu."), "TriggeredScaleUp: more"), 0},
		{withEvents(pending("0/1 nodes are available: 1 Insufficient cpu."), "Nominated: Pod should schedule on: x"), 0},
		{ending, 0},
		{withEvents(pendingMount(), `FailedAttachVolume: Multi-Attach error for volume "pv-1" Volume is already used`), 0},
		{withEvents(pendingMount(), `FailedAttachVolume: Multi-Attach error for volume "pv-1" Volume is already used`,
			stillUnmounted), 0},
		{withEvents(pendingMount(), stillUnmounted), 0},
		{withEvents(pendingMount(), `FailedMount: MountVolume.MountDevice failed for volume "pv-1" : exit status 32`,
			stillUnmounted), mountPatience},
		{withEvents(pendingMount(), `FailedMount: MountVolume.SetUp failed for volume "x" : configmap "x" not found`),
			absentPatience},
		{withEvents(pendingMount(), `FailedMount: MountVolume.MountDevice failed for volume "pv-1" : driver name `+
			`ebs.csi.aws.com not found in the list of registered CSI drivers`), mountPatience},
		{observe(created, pod("new", false, waiting("ErrImagePull", "dial tcp: lookup r: no such host"))), pullPatience},
		{observe(created, pod("new", false, waiting("ErrImagePull", "429 Too Many Requests"))), busyPatience},
		{observe(created, pod("new", false, waiting("ErrImagePull", "net/http: TLS handshake timeout"))), busyPatience},
		{withEvents(observe(created, pod("new", false, alive(0))), "Unhealthy: "+refusedGet), 0},
		{withEvents(observe(created, pod("new", false, alive(0))),
			"Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 404"), answerPatience},
		{withEvents(observe(created, pod("new", false, alive(0))),
			"Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 503"), 0},
	} {
		if v := Judge(c.o); v.State != Stalled || v.Patience != c.want {
			t.Errorf("%s: state %d, patience %s; want %s", v.Message, v.State, v.Patience, c.want)
		}
	}
}

// withVolumes adds volumes to the newest pod of an observation: name, claim or host path.
func withVolumes(o Observation, volumes ...corev1.Volume) Observation {
	o.Pods[0].Spec.Volumes = volumes
	return o
}

func hostVolume(name, path string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path}}}
}

func claimVolume(name, claim string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}
}

func withClaim(o Observation, name, volume string, phase corev1.PersistentVolumeClaimPhase) Observation {
	o.Claims = append(o.Claims, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)},
		Spec:       corev1.PersistentVolumeClaimSpec{VolumeName: volume},
		Status:     corev1.PersistentVolumeClaimStatus{Phase: phase},
	})
	return o
}

// A claim that is only slow to get its volume has the time of the whole rollout. What the cluster reports about it
// shortens that.
func TestClaimPatience(t *testing.T) {
	const unbound = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
	wait := func(message, reason, kind, report string) Observation {
		o := withClaim(withVolumes(pending(message), claimVolume("a", "shop-a")), "shop-a", "", corev1.ClaimPending)
		if report != "" {
			o.Events = append(o.Events, &corev1.Event{
				InvolvedObject: corev1.ObjectReference{UID: "shop-a"}, Type: kind, Reason: reason, Message: report,
			})
		}
		return o
	}
	provisioning := func(report string) Observation {
		return wait(unbound, "ProvisioningFailed", corev1.EventTypeWarning, report)
	}
	bound := wait(unbound, "ProvisioningFailed", corev1.EventTypeWarning, "no space")
	bound.Claims[0].Status.Phase = corev1.ClaimBound
	invisible := wait(unbound, "", "", "")
	invisible.Claims = nil
	for _, c := range []struct {
		name    string
		o       Observation
		want    time.Duration
		message string
	}{
		{"not provisioned yet", wait(unbound, "", "", ""), 0,
			"Pod new-pod waits for the volume of claim shop-a: 0/1 nodes are available: pod has unbound immediate " +
				"PersistentVolumeClaims"},
		{"being provisioned",
			wait(unbound, "ExternalProvisioning", corev1.EventTypeNormal, "Waiting for a volume to be created"), 0,
			"; claim shop-a: Waiting for a volume to be created"},
		{"the volume may be on its way", provisioning("rpc error: code = DeadlineExceeded desc = x"), 0, "DeadlineExceeded"},
		{"provisioner failed", provisioning("rpc error: code = Internal desc = no space"), provisionPatience,
			"no node can run Pod new-pod: "},
		{"no such StorageClass", provisioning(`storageclass.storage.k8s.io "x" not found`), missingPatience,
			`"x" not found`},
		{"no StorageClass", wait(unbound, "FailedBinding", corev1.EventTypeNormal, "no storage class is set"),
			missingPatience, "no storage class is set"},
		{"no such claim", pending(`0/1 nodes are available: persistentvolumeclaim "shop-a" not found.`), missingPatience,
			"not found"},
		{"no volume on any node", wait("1 node(s) didn't find available persistent volumes to bind.", "", "", ""),
			schedulePatience, "didn't find"},
		{"bound meanwhile", bound, 0, "waits for the volume"},
		{"claims cannot be listed", invisible, 0, "waits for the volume of claim shop-a"},
	} {
		v := Judge(c.o)
		right := v.State == Stalled && v.Reason == VolumeNotBound && v.Patience == c.want
		if !right || !strings.Contains(v.Message, c.message) {
			t.Errorf("%s: state %d, reason %q, patience %s, %q; want patience %s, %q",
				c.name, v.State, v.Reason, v.Patience, v.Message, c.want, c.message)
		}
	}
}

func warned(o Observation, about types.UID, message string) Observation {
	o.Events = append(o.Events, &corev1.Event{
		InvolvedObject: corev1.ObjectReference{UID: about},
		Type:           corev1.EventTypeWarning, Reason: "ProvisioningFailed", Message: message,
	})
	return o
}

// The verdict's fields hold the data for hints, so that no hint parses the message.
func TestVerdictData(t *testing.T) {
	const unbound = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
	alivePod := func(events ...string) Observation {
		return withEvents(observe(created, pod("new", false, alive(0))),
			events...)
	}
	two := func(o Observation) Observation {
		return withVolumes(o, claimVolume("a", "shop-a"), hostVolume("h", "/srv"), claimVolume("b", "shop-b"))
	}
	for _, c := range []struct {
		name string
		o    Observation
		want Verdict // the test compares only the data
	}{
		{"refused connection", alivePod("Unhealthy: " + refusedGet), Verdict{Port: 8080}},
		{"killed after a refused connection", withEvents(observe(created, pod("new", false, alive(2))),
			"Unhealthy: "+refusedGet,
			"Killing: Container shop failed startup probe, will be restarted"), Verdict{Port: 8080}},
		{"timeout", alivePod(`Unhealthy: Startup probe failed: Get "http://10.0.0.9:80/": dial tcp 10.0.0.9:80: i/o timeout`),
			Verdict{}},
		{"HTTP status", alivePod("Unhealthy: Startup probe failed: HTTP probe failed with statuscode: 404"), Verdict{}},
		{"another probe's words", alivePod("Unhealthy: Startup probe failed: it printed: on port 80: connection refused"),
			Verdict{}},

		{"cpu", pending("0/1 nodes are available: 1 Insufficient cpu."), Verdict{Resources: []string{"cpu"}}},
		{"several resources", pending("0/3 nodes are available: 1 Insufficient memory, 2 Insufficient nvidia.com/gpu, 3 " +
			"Insufficient cpu."),
			Verdict{Resources: []string{"cpu", "memory", "nvidia.com/gpu"}}},
		{"taint", pending("0/1 nodes are available: 1 node(s) had untolerated taint {cpu: memory}."), Verdict{Tainted: true}},
		{"selector", pending("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."), Verdict{}},
		{"quota", refused(1, `pods "cpu" is forbidden: exceeded quota: memory, requested: `+
			`limits.cpu=2,pods=1,requests.cpu=1, `+
			`used: limits.cpu=1,pods=9,requests.cpu=1, limited: limits.cpu=2,pods=9,requests.cpu=1`),
			Verdict{Resources: []string{"cpu", "pods"}}},

		{"unbound claim", two(pending(unbound)), Verdict{Claim: "shop-a"}},
		{"the pending one of two claims", withClaim(withClaim(two(pending(unbound)), "shop-a", "pv-1", corev1.ClaimBound),
			"shop-b", "", corev1.ClaimPending), Verdict{Claim: "shop-b"}},
		{"the one that was warned of", warned(withClaim(withClaim(two(pending(unbound)), "shop-a", "", corev1.ClaimPending),
			"shop-b", "", corev1.ClaimPending), "shop-b", "no space"), Verdict{Claim: "shop-b"}},

		{"host path", withEvents(two(pendingMount()),
			`FailedMount: MountVolume.SetUp failed for volume "h" : hostPath type check failed: x`),
			Verdict{HostPath: "/srv"}},
		{"claim by the pod's name",
			withEvents(two(pendingMount()), stillUnmounted),
			Verdict{Claim: "shop-b"}},
		{"claim by its volume", withEvents(withClaim(two(pendingMount()), "shop-b", "pv-2", corev1.ClaimBound),
			`FailedAttachVolume: AttachVolume.Attach failed for volume "pv-2" : rpc error`), Verdict{Claim: "shop-b"}},
		{"another kind of volume",
			withEvents(two(pendingMount()), `FailedMount: MountVolume.SetUp failed for volume "c" : configmap "x" not found`),
			Verdict{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Judge(c.o)
			if v.Reason == "" {
				t.Fatalf("no failure: %+v", v)
			}
			got := Verdict{Port: v.Port, Resources: v.Resources, Tainted: v.Tainted, Claim: v.Claim, HostPath: v.HostPath}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v, for %q", got, c.want, v.Message)
			}
		})
	}
}

func TestRefine(t *testing.T) {
	v := Verdict{State: Failed, Reason: CrashLoop, Container: "shop"}
	for line, want := range map[string]Reason{
		"exec /shop: exec format error":                                           WrongArchitecture,
		`standard_init_linux.go:228: exec user process caused: exec format error`: WrongArchitecture,
		"exec /run.sh: no such file or directory":                                 CommandNotFound,
		"open /greeting.txt: no such file or directory":                           CrashLoop,
	} {
		if got := v.Refine([]string{"first", line}); got.Reason != want {
			t.Errorf("%q: %s, want %s", line, got.Reason, want)
		}
	}
}
