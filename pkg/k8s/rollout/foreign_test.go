package rollout

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// shopPod returns a Pod of app shop with further containers.
func shopPod(statuses ...corev1.ContainerStatus) *corev1.Pod {
	p := pod("new", false, statuses...)
	p.Labels = map[string]string{"app": "shop"}
	p.Spec.Containers = []corev1.Container{{Name: "aaa-proxy", Image: "proxy:1"}, {Name: "shop"}}
	return p
}

// named returns a status of another container.
func named(name string, s corev1.ContainerStatus) corev1.ContainerStatus {
	s.Name = name
	return s
}

// A verdict says whose container failed, unless the container is in the Deployment's own template.
func TestForeignContainer(t *testing.T) {
	up := corev1.ContainerStatus{
		Name: "shop", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
	}
	notReady := up
	notReady.Ready = false
	missing := waiting("ErrImagePull", "not found")
	inTemplate := func(o Observation) Observation {
		pod := &o.Deployment.Spec.Template.Spec
		pod.Containers = append(pod.Containers, corev1.Container{Name: "aaa-proxy"})
		o.ReplicaSets[1].Spec.Template.Spec = *pod.DeepCopy()
		return o
	}
	inits := shopPod(named("shop", waiting("PodInitializing", "")))
	inits.Status.InitContainerStatuses = []corev1.ContainerStatus{named("init-proxy", crashed(2, 1, "Error"))}
	unstarted := shopPod(named("shop", waiting("PodInitializing", "")))
	unstarted.Status.InitContainerStatuses = []corev1.ContainerStatus{named("init-proxy", notReady)}
	const injected = ", which was injected into the Pod"
	for _, c := range []struct {
		name      string
		seen      Observation
		foreign   bool
		container string
		message   string
	}{
		{"crash loop", observe(created, shopPod(named("aaa-proxy", crashed(2, 1, "Error")), up)),
			true, "aaa-proxy", "container aaa-proxy" + injected + ", ended with exit code 1, 3 times"},
		{"native", observe(created, inits),
			true, "init-proxy", "container init-proxy" + injected + ", ended with exit code 1, 3 times"},
		{"image", observe(created, shopPod(named("aaa-proxy", missing), up)),
			true, "aaa-proxy", "container aaa-proxy" + injected + ": image proxy:1 does not exist"},
		{"not ready", observe(created, shopPod(named("aaa-proxy", notReady), up)),
			true, "aaa-proxy", "0 of 1 new Pods available; container aaa-proxy" + injected + ", is not ready"},
		{"native, not started", observe(created, unstarted),
			true, "init-proxy", "0 of 1 new Pods available; container init-proxy" + injected + ", is not ready"},
		{"both are not ready", observe(created, shopPod(named("aaa-proxy", notReady), notReady)),
			false, "shop", "0 of 1 new Pods available"},
		{"of the Deployment", inTemplate(observe(created, shopPod(named("aaa-proxy", crashed(2, 1, "Error")), up))),
			false, "aaa-proxy", "container aaa-proxy ended with exit code 1, 3 times"},
		{"the app's own", observe(created, shopPod(crashed(2, 1, "Error"), named("aaa-proxy", up))),
			false, "shop", "container shop ended with exit code 1, 3 times"},
	} {
		v := Judge(c.seen)
		if v.Foreign != c.foreign || v.Container != c.container || v.Message != c.message {
			t.Errorf("%s: foreign %t, container %s, %q", c.name, v.Foreign, v.Container, v.Message)
		}
	}
}

// Without the Deployment, messages about other containers say only that they are not the app's own.
func TestForeignContainerOfPod(t *testing.T) {
	p := shopPod(named("aaa-proxy", crashed(2, 1, "Error")))
	_, got := BlockedReason(p, time.Now())
	if !strings.HasPrefix(got, "container aaa-proxy, which is not the app's own, ") {
		t.Errorf("%q", got)
	}
	if got := Summarize(p).Message; got != "container aaa-proxy, which is not the app's own, ended with exit code 1" {
		t.Errorf("%q", got)
	}
	p.Labels["app"] = "web" // the app's container has another name, so nobody knows which one it is
	if got := Summarize(p).Message; got != "container aaa-proxy ended with exit code 1" {
		t.Errorf("%q", got)
	}
}

// A probe's event names its container.
func TestProbedContainer(t *testing.T) {
	up := corev1.ContainerStatus{Name: "shop", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	p := shopPod(named("aaa-proxy", up), up)
	p.UID = "p"
	o := observe(created, p)
	o.Events = []*corev1.Event{{
		Reason: "Unhealthy", Message: "Readiness probe failed: HTTP probe failed with statuscode: 503",
		InvolvedObject: corev1.ObjectReference{UID: "p", FieldPath: "spec.containers{aaa-proxy}"},
	}}
	if v := Judge(o); v.Container != "aaa-proxy" || !v.Foreign || v.Reason != ProbeFailing {
		t.Errorf("%+v", v)
	}
}
