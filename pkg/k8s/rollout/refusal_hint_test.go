package rollout

import (
	"strings"
	"testing"
)

// The messages are those of Kubernetes 1.37, OpenShift 4.19 and Kyverno's sample policies.
func TestRefusalHint(t *testing.T) {
	places := map[string]string{
		"resources.limits.memory": "infraspec.yaml line 5", "pod.security": "infraspec.yaml line 8",
	}
	with := func(key string) string { return places[key] }
	without := func(string) string { return "" }
	for message, want := range map[string]struct{ set, unset string }{
		`violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "shop" must set ` +
			`securityContext.allowPrivilegeEscalation=false), seccompProfile (pod or container "shop" must set ` +
			`securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`: {
			"set security: restricted in infraspec.yaml line 8", "set pod: {security: restricted} in the infraspec",
		},
		`violates PodSecurity "baseline:latest": privileged (container "shop" must not set ` +
			`securityContext.privileged=true)`: {"remove the field that", "remove the field that"},
		`violates PodSecurity "baseline:latest": hostPath volumes (volume "h")`: {
			"replace hostPath with size in the infraspec", "replace hostPath with size in the infraspec",
		},
		`unable to validate against any security context constraint: [provider "anyuid": Forbidden: not usable by user or ` +
			`serviceaccount, .containers[0].runAsUser: Invalid value: 0: must be in the ranges: [1000680000, 1000689999]]`: {
			"remove runAsUser and fsGroup", "remove runAsUser and fsGroup",
		},
		`unable to validate against any security context constraint: [spec.volumes[0]: Invalid value: "hostPath": hostPath ` +
			`volumes are not allowed to be used]`: {"replace hostPath", "replace hostPath"},
		`admission webhook "validate.kyverno.svc-fail" denied the request: resource Pod/shops/shop was blocked: ` +
			`require-run-as-nonroot: run-as-non-root: 'validation error: Running as root is not allowed. rule ` +
			`run-as-non-root failed at path /spec/containers/0/securityContext/runAsNonRoot/'`: {
			"set security: restricted in infraspec.yaml line 8", "set pod: {security: restricted}",
		},
		`admission webhook "validate.kyverno.svc-fail" denied the request: require-requests-limits: 'validation error: ` +
			`CPU and memory limits are required. rule failed at path /spec/containers/0/resources/limits/memory/'`: {
			"change resources.limits.memory in infraspec.yaml line 5", "set resources.limits.memory in the infraspec",
		},
		`ValidatingAdmissionPolicy 'probes' with binding 'all' denied request: Liveness, readiness, or startup probes are ` +
			`required for all containers.`: {"set healthcheck", "set healthcheck"},
		`ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`: {"ask the cluster's admin", "ask the cluster"},
		`error looking up service account shops/builder: serviceaccount "builder" not found`: {
			"create the ServiceAccount", "create the ServiceAccount",
		},
		`failed quota: q: must specify limits.cpu for: shop; memory for: shop`: {
			"set resources.limits.cpu, resources.requests.memory", "set resources.limits.cpu, resources.requests.memory",
		},
		`exceeded quota: q, requested: limits.memory=1Gi, used: limits.memory=0, limited: limits.memory=512Mi`: {
			"lower resources.limits.memory in infraspec.yaml line 5", "see the rest of the quota",
		},
	} {
		r := ParseRefusal(message)
		if got := r.Hint(with); !strings.HasPrefix(got, want.set) {
			t.Errorf("%s:\nhint %q, want %q", message, got, want.set)
		}
		if got := r.Hint(without); !strings.HasPrefix(got, want.unset) {
			t.Errorf("%s:\nhint without a place %q, want %q", message, got, want.unset)
		}
	}
}

// A Pod that needs more than the whole quota never fits. One that needs more than the rest may fit later.
func TestQuotaNever(t *testing.T) {
	for message, want := range map[string]bool{
		"exceeded quota: q, requested: limits.memory=1Gi,pods=1, used: limits.memory=0,pods=0, limited: " +
			"limits.memory=512Mi,pods=4": true,
		"exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2": false,
		"exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0": true,
		"exceeded quota: q": false,
	} {
		if r := ParseRefusal(message); !r.Quota || r.Never != want {
			t.Errorf("%s: %+v", message, r)
		}
	}
}
