package objects

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"norn/pkg/infraspec"
)

const verified = `app: shop
role: webserver
port: 8080
hosts: {internal: shop}
verify: curl "http://$NORN_TARGET/"
env: {NORN_TARGET: mine, LOG: debug}
secrets: [TOKEN]
volumes: [{name: data, mountPath: /data, size: 1Gi, access: ReadWriteMany}]
pod: {labels: {tier: web, mesh: "on"}, annotations: {team: a}}
`

func parse(t *testing.T, text string) *infraspec.Spec {
	t.Helper()
	spec, _, err := infraspec.Parse("infraspec.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// templateOf returns the Pod template of spec's Deployment.
func templateOf(t *testing.T, spec *infraspec.Spec) *corev1.PodTemplateSpec {
	t.Helper()
	conf, err := Deployment(spec, Settings{}, &Start{Image: "shop:1"})
	if err != nil {
		t.Fatal(err)
	}
	pod, err := podSpec(spec, conf.Spec.Template.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return &corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: conf.Spec.Template.Labels, Annotations: conf.Spec.Template.Annotations},
		Spec:       *pod,
	}
}

func selecting(name string, selector map[string]string) corev1.Service {
	return corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Selector: selector},
	}
}

// No selector of the app's Pods selects the Pod for verify, and no Service of the namespace does.
func TestVerifyPodIsNotSelected(t *testing.T) {
	spec := parse(t, verified)
	template := templateOf(t, spec)
	services := []corev1.Service{
		selecting("shop", map[string]string{"app": "shop"}),
		selecting("byname", map[string]string{"app.kubernetes.io/name": "shop"}),
		selecting("web", map[string]string{"tier": "web"}), selecting("none", nil),
	}
	pod, err := VerifyPod(spec, template, services, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		if len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pod.Labels)) {
			t.Errorf("Service %s selects the Pod: %v", s.Name, pod.Labels)
		}
	}
	if labels.SelectorFromSet(selector(spec)).Matches(labels.Set(pod.Labels)) {
		t.Errorf("the Deployment's selector selects the Pod: %v", pod.Labels)
	}
	want := []string{"app.kubernetes.io/managed-by", "managed-by", "mesh", "norn/job", "norn/verifies"}
	if got := slices.Sorted(maps.Keys(pod.Labels)); !slices.Equal(got, want) || pod.Annotations["team"] != "a" {
		t.Errorf("labels %v, annotations %v", got, pod.Annotations)
	}
	if *pod.Spec.ActiveDeadlineSeconds != 60 || pod.Spec.Containers[0].Lifecycle.PreStop != nil {
		t.Errorf("%+v", pod.Spec)
	}
	if template.Spec.Containers[0].Lifecycle.PreStop == nil || template.Labels["app"] != "shop" {
		t.Error("the template has changed")
	}
	services = append(services, selecting("all", map[string]string{"managed-by": "norn"}))
	_, err = VerifyPod(spec, template, services, time.Minute)
	if selected, ok := errors.AsType[*SelectedError](err); !ok || selected.Service != "all" {
		t.Errorf("a Service that selects all of norn's Pods: %v", err)
	}
}

// verify's command gets the app's environment and secrets, and the address of the Pod.
func TestVerify(t *testing.T) {
	spec := parse(t, verified)
	target := &corev1.Pod{Status: corev1.PodStatus{PodIP: "fd00::7"}}
	pod, err := Verify(spec, Settings{}, "shop:1", VerifyTarget(spec, target))
	if err != nil {
		t.Fatal(err)
	}
	c := pod.Containers[0]
	var env []string
	for _, v := range c.Env {
		env = append(env, v.Name+"="+v.Value)
	}
	if got := strings.Join(env, " "); got != "LOG=debug TOKEN= NORN_TARGET=[fd00::7]:8080" {
		t.Errorf("environment %s", got)
	}
	if got := strings.Join(c.Command, " "); got != `/bin/sh -c curl "http://$$NORN_TARGET/"` {
		t.Errorf("command %s", got)
	}
	if len(pod.Volumes) > 0 || c.LivenessProbe != nil || len(c.Ports) > 0 {
		t.Errorf("%+v", pod)
	}
	for text, want := range map[string]string{
		"app: shop\nrole: worker\nverify: [x]\n":                                       "",
		"app: shop\nrole: worker\nverify: [x]\nhealthcheck: {tcp: true, port: 9000}\n": "10.0.0.1:9000",
	} {
		target.Status.PodIP = "10.0.0.1"
		if got := VerifyTarget(parse(t, text), target); got != want {
			t.Errorf("%s: target %q, want %q", text, got, want)
		}
	}
}

func TestWithoutMissingClaims(t *testing.T) {
	pod := templateOf(t, parse(t, verified)).Spec
	exists := func(found bool) func(string) (bool, error) {
		return func(claim string) (bool, error) { return found && claim == "shop-data", nil }
	}
	if err := WithoutMissingClaims(&pod, exists(true)); err != nil || pod.Volumes[0].PersistentVolumeClaim == nil {
		t.Errorf("a claim that exists: %v, %+v", err, pod.Volumes)
	}
	if err := WithoutMissingClaims(&pod, exists(false)); err != nil || pod.Volumes[0].EmptyDir == nil {
		t.Errorf("a claim that does not exist: %v, %+v", err, pod.Volumes)
	}
}
