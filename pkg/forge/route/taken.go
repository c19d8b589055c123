// Package route finds out who else routes an app's public hosts, and judges from the status of an Ingress or an
// HTTPRoute whether its controller routes them. It makes no calls.
package route

import (
	"encoding/json"
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s/metadata"
)

// TakenError reports that another object routes one of the app's public hosts.
type TakenError struct {
	Host                  string
	Kind, Namespace, Name string // of the other object
	App                   string // the app that norn manages the other object for, or ""
}

// Error names the host and the other object.
func (e *TakenError) Error() string {
	owner := "which norn does not manage"
	if e.App != "" {
		owner = "which belongs to app " + e.App
	}
	return fmt.Sprintf("%s is taken: %s %s in namespace %s, %s, routes it", e.Host, e.Kind, e.Name, e.Namespace, owner)
}

// Hint returns advice.
func (e *TakenError) Hint() string {
	const choose = "choose another host"
	if e.App != "" {
		return "remove the host from that app, or " + choose
	}
	return "remove the host from it, or " + choose + "; or, if both are meant to route it, run norn forge --adopt once"
}

// Others are the Ingresses and HTTPRoutes among which Taken looks for an app's hosts.
type Others struct {
	Ingresses  []networkingv1.Ingress
	HTTPRoutes []unstructured.Unstructured
}

// Taken returns a *TakenError if an object that does not belong to the app in ns routes all requests of one of the
// hosts. Objects for certain paths alone take no host, such as those of an ACME solver, nor do redirects. With adopt,
// only other apps of norn take hosts.
func (o Others) Taken(ns, app string, hosts []string, adopt bool) error {
	for _, host := range hosts {
		for _, e := range o.serving(host) {
			ours := e.App == app && e.Namespace == ns
			if !ours && (e.App != "" || !adopt) {
				return e
			}
		}
	}
	return nil
}

// serving returns an error about each object that routes all requests of a host.
func (o Others) serving(host string) []*TakenError {
	var found []*TakenError
	add := func(kind string, other metav1.Object) {
		e := &TakenError{Host: host, Kind: kind, Namespace: other.GetNamespace(), Name: other.GetName()}
		if app := other.GetLabels()[metadata.AppLabel]; metadata.IsOwned(other, app) {
			e.App = app
		}
		found = append(found, e)
	}
	for i := range o.Ingresses {
		if ingressServes(&o.Ingresses[i], host) {
			add(objects.KindIngress, &o.Ingresses[i])
		}
	}
	for i := range o.HTTPRoutes {
		if routeServes(&o.HTTPRoutes[i], host) {
			add(objects.KindHTTPRoute, &o.HTTPRoutes[i])
		}
	}
	return found
}

// ingressServes reports whether an Ingress routes all requests of a host.
func ingressServes(i *networkingv1.Ingress, host string) bool {
	return i.DeletionTimestamp == nil && slices.ContainsFunc(i.Spec.Rules, func(r networkingv1.IngressRule) bool {
		return r.Host == host && r.HTTP != nil &&
			slices.ContainsFunc(r.HTTP.Paths, func(p networkingv1.HTTPIngressPath) bool {
				exact := p.PathType != nil && *p.PathType == networkingv1.PathTypeExact
				return (p.Path == "" || p.Path == "/") && !exact && p.Backend.Service != nil
			})
	})
}

// httpRouteSpec is the part of an HTTPRoute's spec that norn reads.
type httpRouteSpec struct {
	Hostnames []string `json:"hostnames"`
	Rules     []struct {
		Matches []struct {
			Path *struct {
				Type  string `json:"type"`
				Value string `json:"value"`
			} `json:"path"`
			Headers     []any  `json:"headers"`
			QueryParams []any  `json:"queryParams"`
			Method      string `json:"method"`
		} `json:"matches"`
		BackendRefs []any `json:"backendRefs"`
	} `json:"rules"`
}

// Hosts returns the hosts of an app's own live route, of either kind. Either may be nil.
func Hosts(i *networkingv1.Ingress, r *unstructured.Unstructured) []string {
	var hosts []string
	if i != nil {
		for _, rule := range i.Spec.Rules {
			hosts = append(hosts, rule.Host)
		}
	}
	if r != nil {
		var spec httpRouteSpec
		_ = decode(r.Object["spec"], &spec)
		hosts = append(hosts, spec.Hostnames...)
	}
	return hosts
}

// Listeners returns the names of a Gateway's listeners.
func Listeners(gateway *unstructured.Unstructured) []string {
	var spec struct {
		Listeners []struct {
			Name string `json:"name"`
		} `json:"listeners"`
	}
	_ = decode(gateway.Object["spec"], &spec)
	var names []string
	for _, l := range spec.Listeners {
		names = append(names, l.Name)
	}
	return names
}

// routeServes reports whether an HTTPRoute routes all requests of a host to a backend.
func routeServes(r *unstructured.Unstructured, host string) bool {
	var spec httpRouteSpec
	err := decode(r.Object["spec"], &spec)
	if err != nil || r.GetDeletionTimestamp() != nil || !slices.Contains(spec.Hostnames, host) {
		return false
	}
	for _, rule := range spec.Rules {
		if len(rule.BackendRefs) == 0 {
			continue
		}
		if len(rule.Matches) == 0 {
			return true
		}
		for _, m := range rule.Matches {
			all := m.Path == nil || m.Path.Type != "Exact" && (m.Path.Value == "/" || m.Path.Value == "")
			if all && len(m.Headers)+len(m.QueryParams) == 0 && m.Method == "" {
				return true
			}
		}
	}
	return false
}

// decode converts a part of an unstructured object.
func decode(from, to any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, to)
}
