package rollout

import (
	"slices"
	"strings"
	"testing"
	"time"

	"norn/pkg/infraspec"
	k8srollout "norn/pkg/k8s/rollout"
)

func TestCandidates(t *testing.T) {
	log := []string{"2026/11/24 09:14:58 listening on :3123", "http://0.0.0.0:4321/", "Port 5678 is open", "pid 7777"}
	got := candidates(log, 8080)
	for _, port := range []int{3123, 4321, 5678, 3000} {
		if !slices.Contains(got, port) {
			t.Errorf("got %v, want %d among them", got, port)
		}
	}
	if slices.Contains(got, 8080) || slices.Contains(got, 7777) {
		t.Errorf("got %v, want neither the probe's port nor a process ID", got)
	}
}

const hintedSpec = `app: shop
role: webserver
port: 8080
healthcheck: /healthz
resources: {limits: {memory: 1Gi}, requests: {cpu: 2}}
volumes:
  - {name: host, mountPath: /h, hostPath: /nosuch}
  - {name: data, mountPath: /d, size: 1Gi}
  - {name: more, mountPath: /m, size: 2Gi}
`

// A command that is a string needs a shell, which an image FROM scratch lacks.
func TestHintForShell(t *testing.T) {
	const file = "app: shop\nrole: worker\ncommand: [/shop]\nprocesses:\n  mailer: {command: /shop mail}\n"
	spec, _, err := infraspec.Parse("/x/infraspec.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	v := k8srollout.Verdict{Reason: k8srollout.CommandNotFound}
	for process, want := range map[string]string{
		"": "check the command in infraspec.yaml line 3",
		"mailer": "write the command in infraspec.yaml line 5 as a list, such as [/app, serve]: a string needs /bin/sh, " +
			"which the image lacks",
	} {
		if got := hint(v, clues{spec: spec.ProcessSpec(process)}); got != want {
			t.Errorf("%q: got %q, want %q", process, got, want)
		}
	}
}

// A hint depends only on the verdict's fields: the message here is misleading.
func TestHint(t *testing.T) {
	spec, _, err := infraspec.Parse("/x/infraspec.yaml", []byte(hintedSpec))
	if err != nil {
		t.Fatal(err)
	}
	const misleading = "GET / on port 1: connection refused, Insufficient memory, untolerated taint, /nosuch, claim " +
		"shop-more"
	for _, c := range []struct {
		name  string
		v     k8srollout.Verdict
		ports []int
		want  string
	}{
		{"another port", k8srollout.Verdict{Reason: k8srollout.ProbeFailing, Port: 8080}, []int{3000, 9000},
			"change port: 8080 in infraspec.yaml line 3; the container listens on 3000, 9000"},
		{"no port", k8srollout.Verdict{Reason: k8srollout.ProbeFailing, Port: 8080}, nil,
			"make the app listen on port 8080 (infraspec.yaml line 3)"},
		{"killed at its port", k8srollout.Verdict{Reason: k8srollout.LivenessKilled, Port: 8080}, nil,
			"make the app listen on port 8080 (infraspec.yaml line 3)"},
		{"killed at startup",
			k8srollout.Verdict{Reason: k8srollout.ProbeFailing, Port: 8080, StartupLimit: 150 * time.Second}, nil,
			"make the app listen on port 8080 (infraspec.yaml line 3), and on all addresses (0.0.0.0), not only on " +
				"localhost; if the app needs more than 2m30s to start, raise healthcheck.start"},
		{"a bad answer", k8srollout.Verdict{Reason: k8srollout.LivenessKilled}, nil,
			"check healthcheck: /healthz in infraspec.yaml line 4"},
		{"memory limit", k8srollout.Verdict{Reason: k8srollout.OutOfMemory}, nil, "raise the limit in infraspec.yaml line 5"},
		{"cpu", k8srollout.Verdict{Reason: k8srollout.Unschedulable, Resources: []string{"cpu"}}, nil,
			"lower resources.requests.cpu in infraspec.yaml line 5"},
		{"quota of memory", k8srollout.Verdict{Reason: k8srollout.QuotaExceeded, Resources: []string{"memory", "pods"}}, nil,
			"lower resources.limits.memory in infraspec.yaml line 5"},
		{"quota of pods", k8srollout.Verdict{Reason: k8srollout.QuotaExceeded, Resources: []string{"pods"}}, nil,
			"see the rest of the quota with kubectl describe resourcequota"},
		{"no resource", k8srollout.Verdict{Reason: k8srollout.Unschedulable}, nil,
			"see the nodes' free resources with kubectl describe nodes"},
		{"tainted", k8srollout.Verdict{Reason: k8srollout.Unschedulable, Tainted: true, Resources: []string{"cpu"}}, nil,
			"if the app may run on the tainted nodes, set pod.tolerations"},
		{"host path", k8srollout.Verdict{Reason: k8srollout.VolumeNotMounted, HostPath: "/nosuch"}, nil,
			"create the folder /nosuch on the node, or change hostPath in infraspec.yaml line 7"},
		{"claim", k8srollout.Verdict{Reason: k8srollout.VolumeNotBound, Claim: "shop-data"}, nil,
			"run kubectl describe pvc shop-data to see why the claim for 1Gi (infraspec.yaml line 8) is not bound"},
		{"another claim", k8srollout.Verdict{Reason: k8srollout.VolumeNotMounted, Claim: "shop-more"}, nil,
			"run kubectl describe pvc shop-more to see why the claim for 2Gi (infraspec.yaml line 9) is not bound"},
		{"foreign volume", k8srollout.Verdict{Reason: k8srollout.VolumeNotMounted}, nil,
			"check the Deployment's Pod template"},
		{"a bad setting", k8srollout.Verdict{Reason: k8srollout.BadConfig}, nil, "fix the setting named above"},
		{"lost Pods", k8srollout.Verdict{Reason: k8srollout.PodLost}, nil, "set resources.requests to what the app uses"},
		{"no Deployment", k8srollout.Verdict{Reason: k8srollout.NoDeployment}, nil, "find out who deleted the Deployment"},
		{"a LimitRange", refused("limits.memory"), nil,
			"change resources.limits.memory in infraspec.yaml line 5 to what the policy above allows"},
		{"a LimitRange without a key", refused("requests.memory"), nil,
			"set resources.requests.memory in the infraspec to what the policy above allows"},
		{"Pod Security", refused(k8srollout.SecurityContext), nil,
			"set pod: {security: restricted} in the infraspec"},
		{"a host path", refused(k8srollout.HostPath, k8srollout.SecurityContext), nil,
			"replace hostPath with size in infraspec.yaml line 7"},
		{"another policy", refused(), nil, "ask the cluster's admin about the policy above"},
		{"a Pod at the timeout", k8srollout.Verdict{Reason: k8srollout.TimedOut, Pod: "shop-1", Want: 1}, nil,
			"run kubectl describe pod shop-1 to see what the Pod waits for"},
		{"no Pod at the timeout", k8srollout.Verdict{Reason: k8srollout.TimedOut, Want: 2}, nil,
			"run kubectl get replicasets,events"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.v.Message = misleading
			if got := hint(c.v, clues{spec: spec, ports: c.ports}); !strings.HasPrefix(got, c.want) {
				t.Errorf("hint %q, want %q", got, c.want)
			}
			_ = hint(c.v, clues{ports: c.ports}) // must not panic without an infraspec
		})
	}
}

// A full quota stops a rollout that starts new Pods first. The hint says how to end old Pods first.
func TestQuotaHint(t *testing.T) {
	const app = "app: shop\nrole: worker\nresources: {limits: {memory: 1Gi}}\n"
	const claim = "volumes: [{name: data, mountPath: /d, size: 1Gi}]\n"
	const more = "the rollout needs room for one Pod more than replicas"
	for text, surges := range map[string]bool{app: true, app + claim: false} {
		spec, _, err := infraspec.Parse("/x/infraspec.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		v := k8srollout.Verdict{Reason: k8srollout.QuotaExceeded, Resources: []string{"memory"}}
		got := hint(v, clues{spec: spec})
		if !strings.HasPrefix(got, "lower resources.limits.memory in infraspec.yaml line 3") ||
			strings.Contains(got, more) != surges {
			t.Errorf("%s: hint %q", text, got)
		}
	}
}

func refused(violations ...string) k8srollout.Verdict {
	return k8srollout.Verdict{Reason: k8srollout.PodsRefused, Violations: violations}
}

// More restarts do not help an app that fails by itself.
func TestCrashHint(t *testing.T) {
	for name, c := range map[string]struct {
		log  []string
		want string
	}{
		"a panic":         {[]string{"panic: FEATURE_X is not set", "goroutine 1 [running]:"}, "fix the cause"},
		"nothing":         {nil, "make the app log why it ends"},
		"another service": {[]string{"dial tcp 10.0.0.1:5432: connect: connection refused"}, "check the service"},
		"long ago": {append([]string{"connection refused"}, slices.Repeat([]string{"ok"}, shownLines)...),
			"fix the cause"},
	} {
		got := hint(k8srollout.Verdict{Reason: k8srollout.CrashLoop}, clues{log: c.log})
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: hint %q, want %q", name, got, c.want)
		}
		if restarts := strings.Contains(got, "--allow-restarts"); restarts != (c.want == "check the service") {
			t.Errorf("%s: hint %q", name, got)
		}
	}
}
