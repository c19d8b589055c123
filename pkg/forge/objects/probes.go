package objects

import (
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
)

// readyPeriod is the time between two readiness checks, in seconds. Pods are replaced one after the other, so with 2 s
// a rollout of four replicas takes two thirds longer (BenchmarkProbes). The kubelet also checks as soon as it sees the
// container run, so a Pod that answers by then is ready at once.
const readyPeriod = 1

// The numbers of failed checks in a row after which a Pod gets no more requests, and its container is restarted. A
// restart helps only an app that does not recover by itself, so it comes much later.
const (
	unreadyAfter = 3
	killAfter    = 9
)

// withProbes sets the probes of the healthcheck. They delay a rollout as little as possible:
//
//   - A check by a request has no startup probe. The kubelet would run the readiness probe only after that one and
//     after its next look at the container, up to two seconds later. Instead, the liveness probe begins late enough
//     that it restarts nothing before the app's time to start has passed.
//   - A check by a command has a startup probe: starting a program every second is too expensive for a running app.
func withProbes(c *applycore.ContainerApplyConfiguration, spec *infraspec.Spec) {
	h := spec.Healthcheck
	start, every := seconds(h.Start.Duration()), seconds(h.Every.Duration())
	switch {
	case !hasProbes(spec):
	case len(h.Command) > 0:
		c.WithStartupProbe(probe(spec, 1, start)).
			WithReadinessProbe(probe(spec, every, unreadyAfter)).
			WithLivenessProbe(probe(spec, every, killAfter))
	default:
		liveness := probe(spec, every, killAfter)
		if delay := start - (killAfter-1)*every; delay > 0 {
			liveness.WithInitialDelaySeconds(delay)
		}
		c.WithReadinessProbe(probe(spec, readyPeriod, unreadyAfter*every/readyPeriod)).WithLivenessProbe(liveness)
	}
}

// hasProbes reports whether the healthcheck applies to the app. A worker has no port of its own.
func hasProbes(spec *infraspec.Spec) bool {
	h := spec.Healthcheck
	switch spec.Role {
	case infraspec.Webserver:
		return h.IsSet()
	case infraspec.Worker:
		return len(h.Command) > 0 || h.IsSet() && h.Port > 0
	case infraspec.Cron, infraspec.Function: // they end by themselves
	}
	return false
}

// probe returns a probe of the healthcheck that runs every period seconds, and whose action follows after a number of
// failures.
func probe(spec *infraspec.Spec, period, failures int32) *applycore.ProbeApplyConfiguration {
	h, p := spec.Healthcheck, applycore.Probe().WithPeriodSeconds(period).WithFailureThreshold(failures)
	port := intstr.FromInt(spec.Port)
	if h.Port > 0 {
		port = intstr.FromInt(h.Port)
	}
	switch {
	case len(h.Command) > 0:
		p.WithExec(applycore.ExecAction().WithCommand(h.Command...))
	case h.TCP:
		p.WithTCPSocket(applycore.TCPSocketAction().WithPort(port))
	default:
		p.WithHTTPGet(applycore.HTTPGetAction().WithPath(h.Path).WithPort(port))
	}
	return p
}

// seconds returns d in whole seconds. infraspec has checked its range.
func seconds(d time.Duration) int32 { return int32(d / time.Second) } //nolint:gosec // it has
