package rollout

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// on puts a Pod on a node whose kubelet has accepted it.
func on(node string, p *corev1.Pod) *corev1.Pod {
	p.Spec.NodeName, p.Status.StartTime = node, &metav1.Time{Time: time.Unix(1, 0)}
	p.Name += "-" + node
	return p
}

// unreachable makes a Pod look like one that was ready when its node stopped to answer.
func unreachable(p *corev1.Pod) *corev1.Pod {
	p.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodReady, Status: corev1.ConditionFalse}, {Type: corev1.ContainersReady, Status: corev1.ConditionTrue},
	}
	return p
}

func evictedAfter(seconds int64, p *corev1.Pod) *corev1.Pod {
	p.Spec.Tolerations = []corev1.Toleration{
		{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds},
	}
	return p
}

func mounting(p *corev1.Pod) *corev1.Pod {
	p.Spec.Volumes = append(p.Spec.Volumes, claimVolume("data", "shop-data"))
	return p
}

func leaving(p *corev1.Pod) *corev1.Pod {
	t := terminating()
	p.DeletionTimestamp, p.DeletionGracePeriodSeconds = t.DeletionTimestamp, t.DeletionGracePeriodSeconds
	return p
}

// withNodes says which nodes are not ready.
func withNodes(o Observation, dead ...string) Observation {
	o.Nodes = map[string]NodeState{"node-1": {Ready: true}, "node-2": {Ready: true}}
	for _, name := range dead {
		o.Nodes[name] = NodeState{}
	}
	return o
}

func twice(o Observation) Observation {
	n := int32(2)
	o.Deployment.Spec.Replicas = &n
	return o
}

func of(updated, available int32) appsv1.DeploymentStatus {
	return appsv1.DeploymentStatus{
		ObservedGeneration: 2, Replicas: updated, UpdatedReplicas: updated, AvailableReplicas: available,
	}
}

// A node that does not answer is at fault for its Pods, and the version is not.
func TestDeadNodes(t *testing.T) {
	crashing := func() *corev1.Pod { return on("node-2", pod("new", false, crashed(9, 1, "Error"))) }
	multiAttach := func(nodes ...string) Observation {
		o := withEvents(pendingMount(), `FailedAttachVolume: Multi-Attach error for volume "pv-1" Volume is already used`)
		o.Pods[0] = mounting(on("node-1", o.Pods[0]))
		o.Pods = append(o.Pods, mounting(leaving(on("node-2", pod("new", false)))))
		return withNodes(o, nodes...)
	}
	recreate := func() Observation {
		return waitsForOld(recreating(mounting(leaving(unreachable(on("node-2", pod("old", false)))))))
	}
	const noRoom = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s)."
	asking := func(o Observation) Observation {
		larger := corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("64")}}
		o.Deployment.Spec.Template.Spec.Containers[0].Resources = larger
		o.ReplicaSets[1].Spec.Template.Spec.Containers[0].Resources = larger
		return o
	}
	first := func(o Observation) Observation {
		o.ReplicaSets = o.ReplicaSets[1:]
		return o
	}
	gone := withNodes(observe(created, on("node-3", pod("new", false))))
	gone.Nodes["node-3"] = NodeState{Gone: true}
	for _, c := range []struct {
		name    string
		o       Observation
		state   State
		node    string
		message string
	}{
		{"a new Pod that was ready", twice(observe(of(2, 1), on("node-1", pod("new", true)),
			evictedAfter(300, unreachable(on("node-2", pod("new", false)))))), Progressing, "node-2",
			"1 of 2 new Pods available; Pod new-pod-node-2 is on node node-2, which is not ready, and will be replaced " +
				"after 5m0s"},
		{"a new Pod that was starting", withNodes(observe(created, on("node-2", pod("new", false))), "node-2"),
			Progressing, "node-2",
			"0 of 1 new Pods available; Pod new-pod-node-2 is on node node-2, which is not ready, and will be replaced"},
		{"a Pod before others are created",
			withNodes(twice(observe(of(1, 0), on("node-2", pod("new", false)))), "node-2"),
			Progressing, "node-2", "1 of 2 new Pods created; Pod new-pod-node-2 is on node node-2"},
		{"a node that was deleted", gone, Progressing, "node-3", "is on node node-3, which no longer exists, and will be"},
		{"several Pods", withNodes(twice(observe(of(2, 0), on("node-2", pod("new", false)),
			on("node-3", pod("new", false)))), "node-2", "node-3"), Progressing, "node-2",
			"; 2 Pods are on nodes that are not ready, such as new-pod-node-2 on node-2"},
		{"the other Pod is only slow", withNodes(twice(observe(of(2, 0), on("node-1", pod("new", false)),
			on("node-2", pod("new", false)))), "node-2"), Progressing, "",
			"0 of 2 new Pods available; Pod new-pod-node-2 is on node node-2"},
		{"the other Pod fails", withNodes(twice(observe(of(2, 0),
			on("node-1", pod("new", false, crashed(2, 1, "Error"))), on("node-2", pod("new", false)))), "node-2"),
			Failed, "", "ended with exit code 1"},
		{"what a dead node reported last does not count", withNodes(observe(created, crashing()), "node-2"), Progressing,
			"node-2", "0 of 1 new Pods available; Pod new-pod-node-2"},
		{"a kubelet that has not accepted the Pod", observe(created, &corev1.Pod{
			ObjectMeta: pod("new", false).ObjectMeta, Spec: corev1.PodSpec{NodeName: "node-2"},
		}), Progressing, "node-2", "0 of 1 new Pods available"},
		{"a Pod that is starting", observe(created, on("node-1", pod("new", false))), Progressing, "",
			"0 of 1 new Pods available"},
		{"a claim that an old Pod holds", recreate(), Progressing, "node-2",
			"0 of 1 new Pods created; waiting for old Pod old-pod-node-2 on node node-2, which is not ready, to end; " +
				"the node holds claim shop-data"},
		{"a claim that is attached to a dead node", multiAttach("node-2"), Stalled, "node-2",
			"; claim shop-data is held by Pod new-pod-node-2 on node node-2, which is not ready"},
		{"a claim that is being detached", multiAttach(), Stalled, "", "Multi-Attach error"},
		{"no room while a node is down", withNodes(pending(noRoom), "node-2"), Stalled, "node-2",
			"; not ready: node node-2"},
		{"no room for a version that asks for more", withNodes(asking(pending(noRoom)), "node-2"), Stalled, "",
			"; not ready: node node-2"},
		{"no room for the first version", withNodes(first(pending(noRoom)), "node-2"), Stalled, "",
			"; not ready: node node-2"},
		{"no room on nodes of which none is excluded", withNodes(pending("0/2 nodes are available: 2 Insufficient cpu."),
			"node-2"), Stalled, "", "; not ready: node node-2"},
		{"old Pods do not matter",
			observe(available, pod("new", true), leaving(unreachable(on("node-2", pod("old", false))))), Complete, "",
			"1 of 1 Pods available; 1 old Pod is still terminating: old-pod-node-2 on node node-2 (not ready)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Judge(c.o)
			if v.State != c.state || v.Node != c.node || !strings.Contains(v.Message, c.message) {
				t.Errorf("got state %d, node %q, %q; want %d, %q, %q", v.State, v.Node, v.Message, c.state, c.node, c.message)
			}
			if v.State == Stalled && v.Patience != 0 {
				t.Errorf("waits only %s", v.Patience)
			}
		})
	}
}

// Pods that end longer than they may are named with their node and age. Others that end are not.
func TestOverdue(t *testing.T) {
	o := observe(available, pod("new", true), leaving(on("node-2", pod("old", false)))) // it may take 30 s
	for at, want := range map[int64]string{
		20: "1 of 1 Pods available",
		60: "1 of 1 Pods available; 1 old Pod is still terminating: old-pod-node-2 on node node-2 for 1m0s",
	} {
		o.At = time.Unix(at, 0)
		if v := Judge(o); v.State != Complete || v.Message != want {
			t.Errorf("after %d s: state %d, %q; want %q", at, v.State, v.Message, want)
		}
	}
}

// Readiness gates look like a dead node, except for the reason.
func TestReadinessGate(t *testing.T) {
	p := unreachable(on("node-2", pod("new", false)))
	p.Status.Conditions[0].Reason = "ReadinessGatesNotReady"
	if (Observation{}).OnDeadNode(p) {
		t.Error("a Pod with a readiness gate counts as one on a dead node")
	}
}

// Only evictions and rejections count as lost Pods. A Pod that ended with its node says nothing about the version.
func TestNodeLoss(t *testing.T) {
	with := func(reason string, disruption string) Observation {
		o := lost(3)
		for _, p := range o.Pods {
			p.Status.Reason = reason
			p.Status.Conditions = append(p.Status.Conditions,
				corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: disruption})
		}
		return o
	}
	for _, c := range []struct {
		name, reason, disruption string
		want                     Reason
	}{
		{"evicted for memory", "Evicted", corev1.PodReasonTerminationByKubelet, PodLost},
		{"rejected", "OutOfcpu", "", PodLost},
		{"node shut down", "Terminated", corev1.PodReasonTerminationByKubelet, ""},
		{"rejected by a node that shuts down", "NodeShutdown", "", ""},
		{"node gone", "", "DeletionByPodGC", ""},
		{"node unreachable", "", "DeletionByTaintManager", ""},
	} {
		if v := Judge(with(c.reason, c.disruption)); v.Reason != c.want {
			t.Errorf("%s: reason %q, want %q (%s)", c.name, v.Reason, c.want, v.Message)
		}
	}
}

// The end of a container with its node does not count as a crash.
func TestReboot(t *testing.T) {
	for reason, want := range map[string]State{
		"ContainerStatusUnknown": Progressing, "Unknown": Progressing, "Error": Failed,
	} {
		if v := Judge(observe(created, pod("new", false, crashed(1, 255, reason)))); v.State != want {
			t.Errorf("%s: state %d, want %d (%s)", reason, v.State, want, v.Message)
		}
	}
}

// Older schedulers count the nodes of each taint apart. Nodes that are not ready are tainted too.
func TestTainted(t *testing.T) {
	const unreachable = "1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }"
	for message, want := range map[string]bool{
		unreachable: false,
		unreachable + ", 1 node(s) had untolerated taint {dedicated: gpu}": true,
		"2 node(s) had untolerated taint(s)":                               true,
	} {
		if v := Judge(withNodes(pending("0/3 nodes are available: "+message+"."), "node-2")); v.Tainted != want {
			t.Errorf("%s: tainted %t, want %t", message, v.Tainted, want)
		}
	}
}

// A port that another container listens on says nothing about the app's.
func TestSharedPorts(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	native := shopPod(alive(0))
	native.Spec.Containers = native.Spec.Containers[1:]
	alone := native.DeepCopy()
	native.Spec.InitContainers = []corev1.Container{{Name: "proxy", RestartPolicy: &always}}
	for name, c := range map[string]struct {
		pod  *corev1.Pod
		want bool
	}{"alone": {alone, false}, "sidecar": {shopPod(alive(0)), true}, "native sidecar": {native, true}} {
		v := Judge(withEvents(observe(created, c.pod), "Unhealthy: "+refusedGet))
		if v.Port != 8080 || v.Shared != c.want {
			t.Errorf("%s: port %d, shared %t; want 8080, %t", name, v.Port, v.Shared, c.want)
		}
	}
}

// A claim for a single Pod is named with the Pod that uses it.
func TestReadWriteOncePod(t *testing.T) {
	const message = "0/1 nodes are available: 1 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod " +
		"access mode already in-use by another pod."
	o := pending(message)
	o.Pods[0] = mounting(o.Pods[0])
	o.Pods = append(o.Pods, mounting(on("node-2", pod("old", true))))
	v := Judge(o)
	if v.Reason != Unschedulable || v.Claim != "shop-data" ||
		!strings.Contains(v.Message, "Pod old-pod-node-2 uses claim shop-data") {
		t.Errorf("got %q, claim %q, %q", v.Reason, v.Claim, v.Message)
	}
	if v := Judge(withNodes(o, "node-2")); v.Node != "node-2" || v.Patience != 0 {
		t.Errorf("on a dead node: node %q, patience %s", v.Node, v.Patience)
	}
}
