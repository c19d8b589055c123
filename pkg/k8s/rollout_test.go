package k8s

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// look builds an observation of a Deployment of one replica at revision 2, with an old ReplicaSet "old" and a new one "new".
func look(status appsv1.DeploymentStatus, pods ...*corev1.Pod) Observation {
	one, yes := int32(1), true
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: "d", Generation: 2, Annotations: map[string]string{RevisionAnnotation: "2"}},
		Spec:       appsv1.DeploymentSpec{Replicas: &one, Template: template("new", "")},
		Status:     status,
	}
	set := func(name, revision string) *appsv1.ReplicaSet {
		return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID(name), Annotations: map[string]string{RevisionAnnotation: revision},
			OwnerReferences: []metav1.OwnerReference{{UID: "d", Controller: &yes}},
		}, Spec: appsv1.ReplicaSetSpec{Template: template(name, name+"-hash")}}
	}
	return Observation{Deployment: d, ReplicaSets: []*appsv1.ReplicaSet{set("old", "1"), set("new", "2")}, Pods: pods}
}

// template is a pod template that differs by image; a ReplicaSet's has a hash besides.
func template(image, hash string) corev1.PodTemplateSpec {
	t := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "shop", Image: image}}}}
	if hash != "" {
		t.Labels = map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: hash}
	}
	return t
}

// recreating is the look while a Recreate waits for the old pods: no new ReplicaSet, the revision is still the old one's.
func recreating(pods ...*corev1.Pod) Observation {
	o := look(seen, pods...)
	o.ReplicaSets = o.ReplicaSets[:1]
	o.Deployment.Annotations[RevisionAnnotation] = "1"
	return o
}

func pod(set string, ready bool, containers ...corev1.ContainerStatus) *corev1.Pod {
	yes, status := true, corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: set + "-pod", OwnerReferences: []metav1.OwnerReference{{UID: types.UID(set), Controller: &yes}}},
		Status:     corev1.PodStatus{ContainerStatuses: containers, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}},
	}
}

func waiting(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: "shop", Image: "r/shop:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

func crashed(restarts int32, code int32, reason string) corev1.ContainerStatus {
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}}
	return corev1.ContainerStatus{Name: "shop", RestartCount: restarts, State: ended, LastTerminationState: ended}
}

var (
	unseen = appsv1.DeploymentStatus{ObservedGeneration: 1}
	seen   = appsv1.DeploymentStatus{ObservedGeneration: 2}
	made   = appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 1, UpdatedReplicas: 1}
	good   = appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}
)

// refused is a look where the API server refuses the pods of one of the ReplicaSets.
func refused(set int, message string) Observation {
	o := look(seen)
	o.ReplicaSets[set].Status.Conditions = []appsv1.ReplicaSetCondition{{Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Message: message}}
	return o
}

func scaledToNone() Observation {
	o := look(seen)
	*o.Deployment.Spec.Replicas = 0
	o.ReplicaSets = nil
	return o
}

func before() Observation {
	o := look(good, pod("new", true))
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
		{"no Deployment", Observation{}, Failed, NoDeployment, "gone"},
		{"not seen by the controller", look(unseen), Progressing, stillStarting, "controller"},
		{"old status that looks complete", look(appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}, pod("old", true)), Progressing, stillStarting, "controller"},
		{"no new pod", look(seen, pod("old", true)), Progressing, "", "0 of 1 new pods made"},
		{"new pod not ready", look(made, pod("new", false)), Progressing, "", "0 of 1 new pods available"},
		{"old pod still there", look(good, pod("new", true), pod("old", true)), Progressing, "", "waiting for 1 old pod to end"},
		{"complete", look(good, pod("new", true)), Complete, "", "1 of 1 pods available"},
		{"an old crashing pod is not the new version's failure", look(made, pod("new", false), pod("old", false, crashed(9, 1, "Error"))), Progressing, "", "0 of 1"},
		{"an old failing pod while it is recreated", recreating(pod("old", false, waiting("ImagePullBackOff", ""))), Progressing, "", "0 of 1"},
		{"image not found", look(made, pod("new", false, waiting("ErrImagePull", "not found"))), Failed, ImagePull, "cannot get image r/shop:1: not found"},
		{"image never pulled", look(made, pod("new", false, waiting("ErrImageNeverPull", ""))), Failed, ImagePull, "ErrImageNeverPull"},
		{"missing secret", look(made, pod("new", false, waiting("CreateContainerConfigError", "secret \"x\" not found"))), Failed, BadConfig, `secret "x" not found`},
		{"command not found", look(made, pod("new", false, waiting("RunContainerError", "exec: no such file"))), Failed, CannotStart, "no such file"},
		{"creating", look(made, pod("new", false, waiting("ContainerCreating", ""))), Progressing, "", "0 of 1"},
		{"one restart is forgiven", look(made, pod("new", false, crashed(1, 1, "Error"))), Progressing, "", "0 of 1"},
		{"crash loop", look(made, pod("new", false, crashed(2, 3, "Error"))), Failed, CrashLoop, "ended with exit code 3 (2 restarts)"},
		{"out of memory", look(made, pod("new", false, crashed(2, 137, "OOMKilled"))), Failed, CrashLoop, "out of memory"},
		{"quota", refused(1, "exceeded quota"), Failed, PodsRefused, "exceeded quota"},
		{"an old quota failure", refused(0, "exceeded quota"), Progressing, "", "0 of 1"},
		{"no ReplicaSet yet for none wanted", scaledToNone(), Progressing, "", "made"},
		{"a look from before the change", before(), Progressing, stillStarting, "controller"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Judge(c.o)
			if v.State != c.state || v.Reason != c.reason || !strings.Contains(v.Message, c.message) {
				t.Errorf("got state %d, reason %q, %q; want %d, %q, %q", v.State, v.Reason, v.Message, c.state, c.reason, c.message)
			}
		})
	}
}

func TestPullPolicy(t *testing.T) {
	for image, want := range map[string]corev1.PullPolicy{
		"shop:latest":                    corev1.PullNever,
		"shop":                           corev1.PullNever,
		"team/shop:1":                    corev1.PullNever,
		"localhost/shop:1":               corev1.PullIfNotPresent,
		"127.0.0.1:25000/shop:1":         corev1.PullIfNotPresent,
		"registry.example.com/team/shop": corev1.PullIfNotPresent,
		"docker.io/library/nginx:1.27":   corev1.PullIfNotPresent,
		"registry.example.com/shop@sha256:" + strings.Repeat("a", 64): corev1.PullIfNotPresent,
	} {
		got, err := PullPolicy(image)
		if err != nil || got != want {
			t.Errorf("PullPolicy(%q) = %q, %v; want %q", image, got, err, want)
		}
	}
	for _, bad := range []string{"", "Shop:1", "shop:", "http://example.com/shop"} {
		if _, err := PullPolicy(bad); err == nil {
			t.Errorf("PullPolicy(%q) is no error", bad)
		}
	}
}
