package rollout

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// How long a probe may fail. An answer such as 404 is unlikely to change. An app that refuses connections may still be
// starting.
const (
	answerPatience = 20 * time.Second
	anyPatience    = time.Duration(0)
)

// probeFailure finds a running pod whose startup or readiness probe fails, by the kubelet's events.
func probeFailure(o Observation, pods []*corev1.Pod) Verdict {
	for _, p := range pods {
		if isReady(p) {
			continue
		}
		e := o.lastEvent(p.UID, keepsUnready)
		if e == nil || !allRunning(p) {
			continue
		}
		probed := probedContainer(e, p)
		r := parseProbe(e.Message).of(p, probed)
		patience := anyPatience
		if r.rejected() {
			patience = answerPatience
		}
		v := stalled(ProbeFailing, patience, "the %s probe of Pod %s fails: %s", r.probe, p.Name, r.text)
		v.Pod, v.Container, v.Port, v.Shared = p.Name, probed, r.refusedPort, hasSidecars(p)
		return attributed(o, p, v)
	}
	return Verdict{}
}

// keepsUnready reports whether a startup or readiness probe failed. A liveness probe may have failed before the
// container was restarted.
func keepsUnready(e *corev1.Event) bool {
	return isUnhealthy(e) && parseProbe(e.Message).probe != "liveness"
}

// probedContainer returns the name of the container that an event about a probe is about
// (k8s.io/kubernetes/pkg/kubelet/container: GenerateContainerRef).
func probedContainer(e *corev1.Event, p *corev1.Pod) string {
	if m := fieldContainer.FindStringSubmatch(e.InvolvedObject.FieldPath); m != nil {
		return m[1]
	}
	return firstContainer(p)
}

// hasSidecars reports whether other containers run beside the first one, injected or of an overlay. All containers of a
// Pod have the same ports.
func hasSidecars(p *corev1.Pod) bool {
	return len(p.Spec.Containers) > 1 || slices.ContainsFunc(p.Spec.InitContainers, func(c corev1.Container) bool {
		return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	})
}

var fieldContainer = regexp.MustCompile(`^spec\.(?:initContainers|containers)\{([^}]+)\}$`)

func allRunning(p *corev1.Pod) bool {
	for _, s := range p.Status.ContainerStatuses {
		if s.State.Running == nil {
			return false
		}
	}
	return len(p.Status.ContainerStatuses) > 0
}

// Patterns for the kubelet's messages about a failed probe. They appear only in an event's message, not in a field.
// Sources: k8s.io/kubernetes/pkg/kubelet/prober/prober.go, pkg/probe/http/http.go, pkg/probe/tcp/tcp.go; Go's net/url
// and net.
var (
	probeMessage = regexp.MustCompile(`(?s)^(Startup|Readiness|Liveness) probe (?:failed|errored[^:]*): (.*)$`)
	httpStatus   = regexp.MustCompile(`^HTTP probe failed with statuscode: (\d{3})`)
	tcpError     = regexp.MustCompile(`^dial tcp [^ ]*:(\d+): (?:connect: )?(.*)$`)
	httpError    = regexp.MustCompile(`^Get "https?://[^/]*(/[^"]*)": (?:dial tcp [^ ]*:(\d+): )?(?:connect: )?(.*)$`)
)

// probeResult is the outcome of a failed probe.
type probeResult struct {
	probe       string // startup, readiness or liveness
	text        string // one line for people
	status      int    // of the app's HTTP answer, or 0
	refusedPort int    // the port that refused the connection, or 0
}

// parseProbe reads the message of an Unhealthy event. It shortens an HTTP error to path, port and cause.
func parseProbe(message string) probeResult {
	m := probeMessage.FindStringSubmatch(strings.TrimSpace(message))
	if m == nil {
		return probeResult{probe: "health", text: brief(message, "")}
	}
	r := probeResult{probe: strings.ToLower(m[1]), text: brief(m[2], "")}
	if s := httpStatus.FindStringSubmatch(r.text); s != nil {
		r.status, _ = strconv.Atoi(s[1])
		r.text = "the app answered with HTTP status " + s[1]
	}
	port, cause := "", ""
	if e := httpError.FindStringSubmatch(r.text); e != nil {
		port, cause = e[2], e[3]
		r.text = "GET " + e[1]
		if port != "" {
			r.text += " on port " + port
		}
		r.text += ": " + cause
	} else if e := tcpError.FindStringSubmatch(r.text); e != nil {
		port, cause = e[1], e[2]
		r.text = "connect to port " + port + ": " + cause
	}
	if cause == "connection refused" {
		r.refusedPort, _ = strconv.Atoi(port)
	}
	return r
}

// of returns r for a probe of this container. The kubelet's message about an answer does not name the path.
func (r probeResult) of(p *corev1.Pod, name string) probeResult {
	c := container(p, name)
	if c == nil || r.status == 0 {
		return r
	}
	probe := map[string]*corev1.Probe{
		"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe,
	}[r.probe]
	if probe != nil && probe.HTTPGet != nil {
		r.text = fmt.Sprintf("GET %s was answered with HTTP status %d", probe.HTTPGet.Path, r.status)
	}
	return r
}

// rejected reports whether the app answered with an error that is unlikely to change, such as 404.
func (r probeResult) rejected() bool {
	switch r.status {
	case 408, 425, 429: // timeout, too early, too many requests
		return false
	}
	return r.status/100 == 4
}

// killing is the message of the event before the kubelet restarts a container because of a probe
// (k8s.io/kubernetes/pkg/kubelet/kuberuntime/kuberuntime_manager.go).
var killing = regexp.MustCompile(`^Container (\S+) failed (liveness|startup) probe`)

// killedBy returns the result of the probe for which the kubelet last killed a container, or nil.
func killedBy(o Observation, p *corev1.Pod, name string) *probeResult {
	e := o.lastEvent(p.UID, func(e *corev1.Event) bool {
		m := killing.FindStringSubmatch(e.Message)
		return e.Reason == "Killing" && m != nil && m[1] == name
	})
	if e == nil {
		return nil
	}
	r := probeResult{probe: killing.FindStringSubmatch(e.Message)[2], text: "it failed"}
	if u := o.lastEvent(p.UID, func(e *corev1.Event) bool {
		return isUnhealthy(e) && parseProbe(e.Message).probe == r.probe
	}); u != nil {
		r = parseProbe(u.Message).of(p, name)
	}
	return &r
}

// startupLimit returns how long a container had to start before r's probe killed it, or 0 if it had started: then it
// was killed by its liveness probe after its Pod was ready. A liveness probe that begins late does the work of a
// startup probe.
func startupLimit(p *corev1.Pod, s corev1.ContainerStatus, r *probeResult) time.Duration {
	c := container(p, s.Name)
	if c == nil || r == nil {
		return 0
	}
	probe, failures := c.StartupProbe, int32(0)
	if r.probe == "liveness" && c.StartupProbe == nil && c.ReadinessProbe != nil && !wasReady(p, s) {
		probe, failures = c.LivenessProbe, -1 // the first failure comes at the end of the delay
	} else if r.probe != "startup" {
		return 0
	}
	if probe == nil {
		return 0
	}
	failures += probe.FailureThreshold
	return time.Duration(probe.InitialDelaySeconds+probe.PeriodSeconds*failures) * time.Second
}

// atStart reports whether the probe killed a container that had not started. limit is the container's startupLimit.
func (r *probeResult) atStart(limit time.Duration) bool { return r.probe == "startup" || limit > 0 }

// wasReady reports whether a container's Pod has been ready since the beginning of the container's last run that ended.
func wasReady(p *corev1.Pod, s corev1.ContainerStatus) bool {
	ready, last := condition(p, corev1.PodReady), lastEnd(s)
	return ready == nil || last == nil || ready.LastTransitionTime.After(last.StartedAt.Time)
}

// HasReadinessProbes reports whether every container of a pod has a readiness probe.
func HasReadinessProbes(pod corev1.PodSpec) bool {
	return !slices.ContainsFunc(pod.Containers, func(c corev1.Container) bool { return c.ReadinessProbe == nil })
}
