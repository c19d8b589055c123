package job

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

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

func terminated(code int32, reason string) corev1.PodStatus {
	state := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}}
	return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{State: state}}}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		status corev1.PodStatus
		want   string // "" if the container succeeded
		code   int    // 0 means no *ExitError
	}{
		{terminated(0, "Completed"), "", 0},
		{terminated(3, "Error"), "the container exited with code 3", 3},
		{terminated(137, "OOMKilled"), "the container exited with code 137: OOMKilled", 137},
		{
			corev1.PodStatus{Reason: "DeadlineExceeded"},
			"the container exited with code 124: it ran longer than its timeout", 124,
		},
		{corev1.PodStatus{Reason: "Evicted", Message: "low on memory"}, "the Pod failed: Evicted low on memory", 0},
	} {
		err := verdict(&corev1.Pod{Status: c.status})
		code := 0
		if exit, ok := errors.AsType[*ExitError](err); ok {
			code = exit.Code
		}
		if (err == nil) != (c.want == "") || err != nil && err.Error() != c.want || code != c.code {
			t.Errorf("%v: code %d, error %v; want %d, %q", c.status, code, err, c.code, c.want)
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
	j := object(Request{App: "shop"}, work{kind: migration, pod: pod, values: map[string][]byte{"A": []byte("1")}})
	var names []string
	for _, e := range j.Spec.Template.Spec.Containers[0].Env {
		if e.ValueFrom != nil {
			names = append(names, e.ValueFrom.SecretKeyRef.Name)
		}
	}
	if j.Spec.Suspend == nil || !*j.Spec.Suspend || !slices.Equal(names, []string{j.Name, "other"}) {
		t.Errorf("suspend %v, Secrets %q", j.Spec.Suspend, names)
	}
}
