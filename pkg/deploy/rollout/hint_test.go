package rollout

import (
	"slices"
	"strings"
	"testing"

	"norn/pkg/infraspec"
	k8srollout "norn/pkg/k8s/rollout"
)

func TestCandidates(t *testing.T) {
	got := candidates([]string{"2026/11/24 09:14:58 listening on :3123", "http://0.0.0.0:4321/", "Port 5678 is open", "pid 7777"}, 8080)
	for _, port := range []int{3123, 4321, 5678, 3000} {
		if !slices.Contains(got, port) {
			t.Errorf("%d is not in %v", port, got)
		}
	}
	if slices.Contains(got, 8080) || slices.Contains(got, 7777) {
		t.Errorf("%v", got)
	}
}

func TestHint(t *testing.T) {
	spec, _, err := infraspec.Parse("/x/infraspec.yaml", []byte("app: shop\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nresources: {limits: {memory: 1Gi}, requests: {cpu: 2}}\nvolumes: [{name: d, mountPath: /d, hostPath: /nosuch}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	refused := "the startup probe of pod p does not pass: GET /healthz on port 8080: connection refused"
	for _, c := range []struct {
		v     k8srollout.Verdict
		ports []int
		want  string
	}{
		{k8srollout.Verdict{Reason: k8srollout.ProbeFailing, Message: refused}, []int{3000, 9000}, "infraspec.yaml line 3 says port 8080; the container listens on 3000, 9000"},
		{k8srollout.Verdict{Reason: k8srollout.ProbeFailing, Message: refused}, nil, "infraspec.yaml line 3 says port 8080, and nothing listens there: does"},
		{k8srollout.Verdict{Reason: k8srollout.LivenessKilled, Message: "HTTP status 500"}, nil, "infraspec.yaml line 4 says healthcheck: /healthz"},
		{k8srollout.Verdict{Reason: k8srollout.OutOfMemory}, nil, "infraspec.yaml line 5 sets the limit"},
		{k8srollout.Verdict{Reason: k8srollout.Unschedulable, Message: "1 Insufficient cpu"}, nil, "infraspec.yaml line 5 asks for cpu"},
		{k8srollout.Verdict{Reason: k8srollout.Unschedulable, Message: "1 node(s) had untolerated taint {a: b}"}, nil, "its nodes are tainted"},
		{k8srollout.Verdict{Reason: k8srollout.VolumeNotMounted, Message: `hostPath type check failed: /nosuch is not a directory`}, nil, "infraspec.yaml line 6 says hostPath: /nosuch"},
	} {
		if got := hint(c.v, spec, c.ports); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q", c.v.Reason, got)
		}
		_ = hint(c.v, nil, c.ports) // without an infraspec it is shorter, and no panic
	}
}
