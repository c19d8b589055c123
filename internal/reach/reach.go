// Package reach follows a request for an app from its Pods to its public address, and names the first hop that fails.
package reach

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// Hop is one part of the way of a request.
type Hop struct {
	Name   string // such as DNS
	State  State
	Detail string
	Hint   string // what to do, unless State is OK
	Took   time.Duration
}

// State is the result of a hop.
type State int

// The results of a hop.
const (
	OK        State = iota
	Failed          // a request does not get further
	Unchecked       // norn is not allowed to check it, or cannot do so from here; the next hops may still work
)

// String returns a line such as "DNS: shop.example.com is 192.0.2.1 (3 ms)".
func (h Hop) String() string {
	text := h.Name + ": " + h.Detail
	if h.State != Unchecked {
		text += fmt.Sprintf(" (%d ms)", h.Took.Milliseconds())
	}
	return text
}

// Way is the way of requests to an app.
type Way struct {
	Cluster   Cluster
	Namespace string
	Spec      *infraspec.Spec // of a webserver with hosts.internal
	// Route checks the route of the public hosts. It may be nil.
	Route func(ctx context.Context) Hop

	public public
}

// Cluster reads from the cluster; see k8s.Client.
type Cluster interface {
	GetPods(ctx context.Context, ns, app string) ([]corev1.Pod, error)
	AskService(ctx context.Context, ns, service, path string) (status int, err error)
}

// hop is a hop that has not been checked yet.
type hop struct {
	name  string
	check func(ctx context.Context) Hop
}

// Follow checks the hops in their order up to the first that fails. The last hop is its result, and is OK only if each
// public host answers. Each hop may take up to wait.
func (w Way) Follow(ctx context.Context, wait time.Duration) []Hop {
	hops := []hop{{"Pods", w.pods}, {"Service", w.service}}
	if w.Route != nil {
		hops = append(hops, hop{"Route", w.Route})
	}
	for _, host := range w.Spec.Hosts.External {
		hops = append(hops, w.public.hops(URL(w.Spec, host), Path(w.Spec))...)
	}
	var done []Hop
	for _, h := range hops {
		limited, cancel := context.WithTimeout(ctx, wait)
		begin := time.Now()
		result := h.check(limited)
		cancel()
		result.Name, result.Took = h.name, time.Since(begin)
		done = append(done, result)
		if result.State == Failed || ctx.Err() != nil {
			break
		}
	}
	return done
}

// Path returns the path of requests that check an app: that of its healthcheck, or else /.
func Path(spec *infraspec.Spec) string {
	if h := spec.Healthcheck; h.Path != "" && (h.Port == 0 || h.Port == spec.Port) {
		return h.Path
	}
	return "/"
}

// URL returns the URL of one of an app's public hosts. An Ingress without a certificate has no HTTPS.
func URL(spec *infraspec.Spec, host string) url.URL {
	if spec.Route.Ingress != "" && spec.Route.TLS == "" {
		return url.URL{Scheme: "http", Host: host}
	}
	return url.URL{Scheme: "https", Host: host}
}

// URLs returns the URLs of an app's public hosts with commas between them.
func URLs(spec *infraspec.Spec) string {
	var all []string
	for _, host := range spec.Hosts.External {
		one := URL(spec, host)
		all = append(all, one.String())
	}
	return strings.Join(all, ", ")
}

// pods checks whether one of the main process's Pods is ready.
func (w Way) pods(ctx context.Context) Hop {
	pods, err := w.Cluster.GetPods(ctx, w.Namespace, w.Spec.App)
	if err != nil {
		return unless(err, "list the app's Pods")
	}
	ready := 0
	for _, p := range pods {
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue && p.DeletionTimestamp == nil {
				ready++
			}
		}
	}
	detail := fmt.Sprintf("%d of %d ready", ready, len(pods))
	if ready == 0 {
		return Hop{State: Failed, Detail: detail, Hint: "see why with norn status " + w.Spec.App}
	}
	return Hop{Detail: detail}
}

// service checks whether the Service leads to a Pod that answers, from inside the cluster.
func (w Way) service(ctx context.Context) Hop {
	name := w.Spec.Hosts.Internal
	status, err := w.Cluster.AskService(ctx, w.Namespace, name, Path(w.Spec))
	switch {
	case k8s.IsNotFound(err):
		return Hop{State: Failed, Detail: fmt.Sprintf("Service %s does not exist", name),
			Hint: "create it with norn forge " + w.Spec.App}
	case k8s.IsNoEndpoints(err):
		return Hop{State: Failed, Detail: fmt.Sprintf("Service %s has no endpoints", name),
			Hint: fmt.Sprintf("compare the selector of Service %s with the labels of the Pods: norn diff %s", name, w.Spec.App)}
	case err != nil:
		return unless(err, "send a request through Service "+name)
	case !good(status) && Path(w.Spec) != "/":
		return Hop{State: Failed, Detail: fmt.Sprintf("%s answers GET %s with %d", name, Path(w.Spec), status),
			Hint: "see norn logs " + w.Spec.App}
	}
	return Hop{Detail: fmt.Sprintf("%s answers GET %s with %d through the API server", name, Path(w.Spec), status)}
}

// good reports whether a status code is one that a probe accepts (kubernetes.io: Configure Probes).
func good(status int) bool { return status >= 200 && status < 400 }
