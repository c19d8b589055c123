package rollout

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// The messages are those of Kubernetes 1.37.
func TestViolations(t *testing.T) {
	const restricted = `pods "shop" is forbidden: violates PodSecurity "restricted:latest": ` +
		`allowPrivilegeEscalation != false (container "shop" must set securityContext.allowPrivilegeEscalation=false), ` +
		`runAsNonRoot != true (pod or container "shop" must set securityContext.runAsNonRoot=true)`
	for message, want := range map[string][]string{
		`pods "shop" is forbidden: maximum memory usage per Container is 64Mi, but limit is 1Gi`:    {"limits.memory"},
		`pods "shop" is forbidden: minimum cpu usage per Pod is 100, but request is 10m`:            {"requests.cpu"},
		`pods "shop" is forbidden: maximum cpu usage per Container is 500m.  No limit is specified`: {"limits.cpu"},
		`pods "shop" is forbidden: [maximum cpu usage per Container is 500m, but limit is 2, ` +
			`maximum memory usage per Container is 64Mi, but limit is 1Gi]`: {"limits.cpu", "limits.memory"},
		`pods "shop" is forbidden: failed quota: q: must specify limits.cpu for: shop; memory for: a,b`: {
			"limits.cpu", "requests.memory",
		},
		restricted: {SecurityContext},
		`pods "shop" is forbidden: violates PodSecurity "baseline:latest": hostPath volumes (volume "h")`: {HostPath},
		`admission webhook "policy" denied the request: no`:                                               nil,
	} {
		if got := violations(message); !slices.Equal(got, want) {
			t.Errorf("%s:\n%v, want %v", message, got, want)
		}
		v := Judge(refused(1, message))
		if v.State != Failed || !slices.Equal(v.Violations, want) {
			t.Errorf("%s: %+v", message, v)
		}
	}
}

// The message about an answer names the path of the probe.
func TestAnsweredProbeNamesThePath(t *testing.T) {
	get := func(path string) *corev1.Probe {
		return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path}}}
	}
	p := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{
		{Name: "shop", StartupProbe: get("/start"), ReadinessProbe: get("/ready")},
	}}}
	for message, want := range map[string]string{
		"Startup probe failed: HTTP probe failed with statuscode: 404":   "GET /start was answered with HTTP status 404",
		"Readiness probe failed: HTTP probe failed with statuscode: 503": "GET /ready was answered with HTTP status 503",
		"Liveness probe failed: HTTP probe failed with statuscode: 500":  "the app answered with HTTP status 500",
	} {
		if got := parseProbe(message).of(p, "shop").text; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
