package rollout

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Patience with probes. An answer such as 404 will hardly change; who refuses connections may still be starting.
const (
	answerPatience = 20 * time.Second
	anyPatience    = time.Duration(0)
)

// probeFailure finds a container that runs and whose startup or readiness probe does not pass, by the kubelet's events.
func probeFailure(o Observation, pods []*corev1.Pod) Verdict {
	for _, p := range pods {
		if c := condition(p, corev1.PodReady); c != nil && c.Status == corev1.ConditionTrue {
			continue
		}
		e := o.lastEvent(p.UID, isUnhealthy)
		if e == nil || !allRunning(p) {
			continue
		}
		probe, got := probeResult(e.Message)
		patience := anyPatience
		if answeredNo(got) {
			patience = answerPatience
		}
		v := stalled(ProbeFailing, patience, "the %s probe of pod %s does not pass: %s", probe, p.Name, got)
		v.Pod, v.Container = p.Name, firstContainer(p)
		return v
	}
	return Verdict{}
}

func allRunning(p *corev1.Pod) bool {
	for _, s := range p.Status.ContainerStatuses {
		if s.State.Running == nil {
			return false
		}
	}
	return len(p.Status.ContainerStatuses) > 0
}

func isUnhealthy(e *corev1.Event) bool { return e.Reason == "Unhealthy" }
func isWarning(e *corev1.Event) bool   { return e.Type == corev1.EventTypeWarning }

// probeMessage is what the kubelet says of a probe (k8s.io/kubernetes/pkg/kubelet/prober).
var probeMessage = regexp.MustCompile(`(?s)^(Startup|Readiness|Liveness) probe (?:failed|errored[^:]*): (.*)$`)

// dialed is how Go's network library wraps what came of a request: the URL and the addresses are cut off.
var dialed = regexp.MustCompile(`^Get "https?://[^/]*(/[^"]*)": (?:dial tcp [^ ]*:(\d+): )?(?:connect: )?(.*)$`)

// probeResult takes an event's message apart: which probe, and what it got.
func probeResult(message string) (probe, got string) {
	m := probeMessage.FindStringSubmatch(strings.TrimSpace(message))
	if m == nil {
		return "health", brief(message, "")
	}
	probe, got = strings.ToLower(m[1]), brief(m[2], "")
	if d := dialed.FindStringSubmatch(got); d != nil {
		got = "GET " + d[1]
		if d[2] != "" {
			got += " on port " + d[2]
		}
		got += ": " + d[3]
	}
	return probe, strings.Replace(got, "HTTP probe failed with statuscode: ", "it was answered with HTTP status ", 1)
}

var httpStatus = regexp.MustCompile(`HTTP status (\d{3})`)

// answeredNo reports whether the app itself answered that it has no such thing, or lets nobody have it.
func answeredNo(got string) bool {
	m := httpStatus.FindStringSubmatch(got)
	return m != nil && m[1][0] == '4' && m[1] != "408" && m[1] != "425" && m[1] != "429"
}

// killing is what the kubelet says before it restarts a container for a probe.
var killing = regexp.MustCompile(`^Container (\S+) failed (liveness|startup) probe`)

// killedBy is the probe for which the kubelet last killed a container, and what that probe got; "" where it was none.
func killedBy(o Observation, p *corev1.Pod, name string) (probe, got string) {
	e := o.lastEvent(p.UID, func(e *corev1.Event) bool {
		m := killing.FindStringSubmatch(e.Message)
		return e.Reason == "Killing" && m != nil && m[1] == name
	})
	if e == nil {
		return "", ""
	}
	probe = killing.FindStringSubmatch(e.Message)[2]
	got = "it did not pass"
	if u := o.lastEvent(p.UID, func(e *corev1.Event) bool { p, _ := probeResult(e.Message); return isUnhealthy(e) && p == probe }); u != nil {
		_, got = probeResult(u.Message)
	}
	return probe, got
}

// RefusedPort is the port on which a probe found nobody listening, by a verdict's message, or 0.
func (v Verdict) RefusedPort() int {
	m := refusedPort.FindStringSubmatch(v.Message)
	if v.Reason != ProbeFailing && v.Reason != LivenessKilled || m == nil {
		return 0
	}
	port, _ := strconv.Atoi(m[1])
	return port
}

var refusedPort = regexp.MustCompile(` on port (\d+): connection refused`)

// HasReadinessProbes reports whether every container of a pod has a readiness probe.
func HasReadinessProbes(pod corev1.PodSpec) bool {
	return !slices.ContainsFunc(pod.Containers, func(c corev1.Container) bool { return c.ReadinessProbe == nil })
}
