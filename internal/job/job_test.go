package job

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

func TestBody(t *testing.T) {
	files := map[string]string{"in.json": `{"a": 1}`, "nul": "a\x00b"}
	read := func(path string) ([]byte, error) {
		text, ok := files[path]
		if !ok {
			return nil, errors.New("no such file")
		}
		return []byte(text), nil
	}
	for _, c := range []struct{ text, want, problem string }{
		{"plain", "plain", ""},
		{"", "", ""},
		{"@in.json", `{"a": 1}`, ""},
		{"@missing", "", "read the body: no such file"},
		{"@nul", "", "the body contains a NUL byte, which an environment variable cannot hold"},
	} {
		got, err := Body(c.text, read)
		if got != c.want || (err == nil) != (c.problem == "") || err != nil && err.Error() != c.problem {
			t.Errorf("Body(%q) = %q, error %v; want %q, %q", c.text, got, err, c.want, c.problem)
		}
	}
}

// The app's Service must not select the Job's Pod. The Pod never restarts, and ends with its timeout.
func TestObject(t *testing.T) {
	r := Request{Namespace: "shops", App: strings.Repeat("a", 60), Timeout: 1500 * time.Millisecond}
	j := object(r, work{kind: "run"})
	pod := j.Spec.Template
	if len(j.Name) > 63 || j.Labels[metadata.AppLabel] != r.App || pod.Labels[metadata.AppLabel] != "" {
		t.Errorf("name %s, labels %v, the Pod's %v", j.Name, j.Labels, pod.Labels)
	}
	if *j.Spec.BackoffLimit != 0 || pod.Spec.RestartPolicy != corev1.RestartPolicyNever {
		t.Errorf("the Job may run twice: %+v", j.Spec)
	}
	if got := *pod.Spec.ActiveDeadlineSeconds; got != 2 {
		t.Errorf("the deadline is %d seconds, want 2", got)
	}
	if j.Spec.Suspend != nil {
		t.Error("it is suspended without a Secret to wait for")
	}
	if j.Spec.ActiveDeadlineSeconds != nil {
		t.Error("the Job's deadline would delete the Pod with its status")
	}
	if d := object(r, work{kind: "verify", ends: true}).Spec.ActiveDeadlineSeconds; d == nil || *d != 62 {
		t.Errorf("a Job that ends by itself has the deadline %v", d)
	}
}

// A Job with its own Secret is created suspended, and reads that Secret instead of the app's.
func TestObjectWithOwnSecret(t *testing.T) {
	from := func(secret string) corev1.EnvVar {
		return corev1.EnvVar{ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: secret},
		}}}
	}
	pod := corev1.PodSpec{Containers: []corev1.Container{{Env: []corev1.EnvVar{
		from("shop-secrets"), {Value: "x"}, from("other"),
	}}}}
	part := func(secret string) corev1.VolumeProjection {
		return corev1.VolumeProjection{Secret: &corev1.SecretProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: secret},
		}}
	}
	files := &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{part("shop-secrets"), part("other")}}
	pod.Volumes = []corev1.Volume{{Name: infraspec.SecretVolume, VolumeSource: corev1.VolumeSource{Projected: files}}}
	j := object(Request{App: "shop"}, work{kind: migration, pod: pod, values: map[string][]byte{"A": []byte("1")}})
	var names []string
	for _, e := range j.Spec.Template.Spec.Containers[0].Env {
		if e.ValueFrom != nil {
			names = append(names, e.ValueFrom.SecretKeyRef.Name)
		}
	}
	for _, p := range j.Spec.Template.Spec.Volumes[0].Projected.Sources {
		names = append(names, p.Secret.Name)
	}
	if j.Spec.Suspend == nil || !*j.Spec.Suspend || !slices.Equal(names, []string{j.Name, "other", j.Name, "other"}) {
		t.Errorf("suspend %v, Secrets %q", j.Spec.Suspend, names)
	}
}

// The Pod of a command ends at once: only a sidecar's own hook stays.
func TestRuns(t *testing.T) {
	sleep := &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}}
	flush := &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"/flush"}}}
	container := func(name string, stop *corev1.LifecycleHandler) corev1.Container {
		return corev1.Container{
			Name: name, Ports: []corev1.ContainerPort{{HostPort: 1}}, Lifecycle: &corev1.Lifecycle{PreStop: stop},
		}
	}
	pod := &corev1.PodSpec{Containers: []corev1.Container{
		container("proxy", sleep), container("shop", flush), container("buffer", flush), {Name: "plain"},
	}}
	c := runs(pod, "shop", []string{"echo", "$(A)"})
	if c != &pod.Containers[1] || !slices.Equal(c.Command, []string{"echo", "$$(A)"}) {
		t.Errorf("%+v", c)
	}
	for i, stop := range []*corev1.LifecycleHandler{nil, nil, flush} {
		if c := pod.Containers[i]; c.Lifecycle.PreStop != stop || c.Ports != nil {
			t.Errorf("%s: %+v", c.Name, c)
		}
	}
}
