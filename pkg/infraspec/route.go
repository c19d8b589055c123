package infraspec

import (
	"net"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Names are strings of which each occurs once: in the file either one string or a list.
type Names []string

// String returns the names with spaces between them.
func (n Names) String() string { return strings.Join(n, " ") }

// Route is how requests from outside the cluster reach the app. It sets either Gateway or Ingress.
type Route struct {
	// Gateway is the Gateway that routes hosts.external to the app, as NAMESPACE/NAME. norn makes an HTTPRoute.
	Gateway string `yaml:"gateway" jsonschema:"pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"`
	// Section is the name of the Gateway's listener. The default is all listeners that accept the hosts.
	Section string `yaml:"section" jsonschema:"pattern=^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"`
	// Ingress is the IngressClass whose controller routes hosts.external to the app. norn makes an Ingress.
	Ingress string `yaml:"ingress" jsonschema:"pattern=^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"`
	// TLS is the name of the Secret with the certificate of the hosts, for ingress. A Gateway has its own.
	TLS string `yaml:"tls" jsonschema:"pattern=^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"`
	// Annotations are annotations of the HTTPRoute or the Ingress, such as those of cert-manager.
	Annotations Metadata `yaml:"annotations"`
}

// IsSet reports whether the app has a route other than the tunnel.
func (r Route) IsSet() bool { return r.Gateway != "" || r.Ingress != "" }

// SplitGateway returns the namespace and the name of the Gateway.
func (r Route) SplitGateway() (namespace, name string) {
	namespace, name, _ = strings.Cut(r.Gateway, "/")
	return namespace, name
}

// names decodes one string or a list of strings. An empty string counts as absent.
func (d *decoder) names(n *yaml.Node, path string, names *Names) {
	switch {
	case n.Kind == yaml.SequenceNode:
		d.sliceValue(n, path, reflect.ValueOf(names).Elem())
	case n.Kind != yaml.ScalarNode:
		d.add(n, Error, RuleWrongType, "%s must be a name or a list of names, not %s", path, describe(n, path))
	case n.Value != "":
		*names = Names{n.Value}
	}
}

// nameKey returns the path of a name: that of the list's item, or of the key itself if its value is one string.
func (d *decoder) nameKey(path string, i int) string {
	if n := d.places[d.path(path)]; n != nil && n.Kind == yaml.SequenceNode {
		return element(path, i)
	}
	return path
}

// externalHosts checks hosts.external.
func (d *decoder) externalHosts(s *Spec) {
	const path = "hosts.external"
	hosts := s.Hosts.External
	for i, host := range hosts {
		key := d.nameKey(path, i)
		problem := hostProblem(host)
		switch {
		case !d.has(key) || d.foundAt(key): // already reported
		case host == "":
			d.at(key, Error, RuleHost, "%s is empty", key)
		case problem != "":
			d.at(key, Error, RuleHost, "hosts.external %s %s", quoted(host), problem)
		case s.Route.IsSet() && net.ParseIP(host) != nil:
			d.at(key, Error, RuleHost, "hosts.external %s is an IP address; a route needs a host name", quoted(host))
		case slices.Contains(hosts[:i], host):
			d.at(key, Error, RuleTwice, "hosts.external: %s is listed twice", quoted(host))
		}
	}
	if len(hosts) > 0 && !d.has("hosts.internal") && s.Role == Webserver && !s.Route.IsSet() {
		d.at(path, Warning, RuleIgnored, "hosts.external needs hosts.internal: the tunnel routes to the Service of that name")
	}
}

// maxHostnames is how many hosts an HTTPRoute can have (gateway-api.sigs.k8s.io: HTTPRouteSpec).
const maxHostnames = 16

// route checks the route.
func (d *decoder) route(s *Spec) {
	r := s.Route
	if !d.has("route") || d.foundAt("route") {
		return
	}
	d.routeKind()
	switch {
	case slices.Contains([]Role{Worker, Cron, Function}, s.Role):
		d.atKey("route", Error, RuleRoute, "a %s has no route: only a webserver gets requests", s.Role)
	case s.Role != Webserver:
	case len(s.Hosts.External) == 0:
		d.at("hosts.external", Error, RuleRoute, "a route needs hosts.external: the public host name")
	case s.Hosts.Internal == "":
		d.at("hosts.internal", Error, RuleRoute, "a route needs hosts.internal: it leads to the Service of that name")
	case r.Gateway != "" && len(s.Hosts.External) > maxHostnames:
		d.at("hosts.external", Error, RuleRoute, "an HTTPRoute has at most %d hosts, not %d",
			maxHostnames, len(s.Hosts.External))
	}
	d.routeNames(r)
	d.annotations("route.annotations", r.Annotations)
	d.reserved("route.annotations", r.Annotations)
}

// routeKind checks that the route is of exactly one kind, and sets no key of the other.
func (d *decoder) routeKind() {
	gateway, ingress := d.has("route.gateway"), d.has("route.ingress")
	const noEffect = "%s has no effect with %s: "
	switch {
	case gateway && ingress:
		d.atKey("route.ingress", Error, RuleRoute, "route sets gateway and ingress; keep only one of them "+
			"(in an environment, null removes a key)")
	case !gateway && !ingress:
		d.at("route", Error, RuleRoute, "route sets neither gateway nor ingress; set one of them")
	case gateway && d.has("route.tls"):
		d.atKey("route.tls", Warning, RuleIgnored, noEffect+"the listener of the Gateway has the certificate",
			"route.tls", "route.gateway")
	case ingress && d.has("route.section"):
		d.atKey("route.section", Warning, RuleIgnored, noEffect+"only a Gateway has listeners",
			"route.section", "route.ingress")
	}
	for _, key := range []string{"route.gateway", "route.ingress"} {
		if d.has(key) && d.places[d.path(key)].Value == "" && !d.foundAt(key) {
			d.at(key, Error, RuleRoute, "%s is empty", key)
		}
	}
}

// routeNames checks the names of the objects that a route refers to.
func (d *decoder) routeNames(r Route) {
	isName := func(text string) bool { return len(validation.IsDNS1123Subdomain(text)) == 0 }
	namespace, name := r.SplitGateway()
	switch {
	case r.Gateway == "":
	case !strings.Contains(r.Gateway, "/"):
		d.at("route.gateway", Error, RuleName, "route.gateway %s has no namespace; write NAMESPACE/NAME", quoted(r.Gateway))
	case !ValidName(namespace) || !isName(name):
		d.at("route.gateway", Error, RuleName, "route.gateway %s is not NAMESPACE/NAME of a Gateway", quoted(r.Gateway))
	}
	for _, one := range []struct{ key, text, kind string }{
		{"route.section", r.Section, "a listener"},
		{"route.ingress", r.Ingress, "an IngressClass"},
		{"route.tls", r.TLS, "a Secret"},
	} {
		if one.text != "" && !isName(one.text) {
			d.at(one.key, Error, RuleName, "%s %s is not the name of %s", one.key, quoted(one.text), one.kind)
		}
	}
}
