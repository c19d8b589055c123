package route

import (
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"norn/pkg/infraspec"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	var o map[string]any
	data, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = json.Unmarshal(data, &o) // with whole numbers, as the client does
	}
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: o}
}

func routed(gateway, section string) *infraspec.Spec {
	return &infraspec.Spec{
		App: "shop", Hosts: infraspec.Hosts{External: infraspec.Names{"shop.example.com"}, Internal: "shop"},
		Route: infraspec.Route{Gateway: gateway, Section: section},
	}
}

const programmedGateway = "status: {conditions: [{type: Programmed, status: 'True'}]}"

// parent returns the status of an HTTPRoute at generation 3 for the Gateway edge/public.
func parent(conditions string) string {
	return "metadata: {namespace: web, generation: 3}\nstatus: {parents: [{parentRef: {namespace: edge, name: public}, " +
		"conditions: [" + conditions + "]}]}"
}

// Each answer of a controller leads to a verdict with its reason and what to do.
func TestJudgeHTTPRoute(t *testing.T) {
	const good = "{type: Accepted, status: 'True', observedGeneration: 3}, {type: ResolvedRefs, status: 'True'}"
	refusedAs := func(kind, reason string) string {
		return parent("{type: Accepted, status: 'True'}, {type: " + kind + ", status: 'False', reason: " + reason + "}")
	}
	for _, c := range []struct {
		name, route, gateway string // no gateway means that the user cannot read it
		section              string
		ready, refused       bool
		detail, hint         string
	}{
		{"no answer", "metadata: {namespace: web}", programmedGateway, "", false, false, "no controller has answered",
			"controller of the Gateway's class"},
		{"accepted", parent(good), programmedGateway, "", true, false, "through Gateway edge/public", ""},
		{"accepted, unreadable Gateway", parent(good), "", "", true, false, "through Gateway edge/public", ""},
		{"accepted for another section", parent(good), programmedGateway, "https", false, false, "no controller", ""},
		{"an answer to an earlier generation", parent(strings.Replace(good, "3", "2", 1)), programmedGateway, "", false,
			false, "has not set the condition Accepted", ""},
		{"no references yet", parent("{type: Accepted, status: 'True'}"), programmedGateway, "", false, false,
			"has not set the condition ResolvedRefs", ""},
		{"unknown", parent("{type: Accepted, status: Unknown, reason: Pending}"), programmedGateway, "", false, false,
			"Accepted is Unknown: Pending", ""},
		{"no host", parent("{type: Accepted, status: 'False', reason: NoMatchingListenerHostname, message: 'no.\n host.'}"),
			programmedGateway, "", false, true, "Accepted is False: NoMatchingListenerHostname: no. host",
			"add a listener for shop.example.com to Gateway edge/public"},
		{"namespace", parent("{type: Accepted, status: 'False', reason: NotAllowedByListeners}"), "", "", false, true,
			"NotAllowedByListeners", "allowedRoutes.namespaces"},
		{"grant", refusedAs(resolvedRefs, "RefNotPermitted"), "", "", false, true, "RefNotPermitted", "ReferenceGrant"},
		{"backend", refusedAs(resolvedRefs, "BackendNotFound"), "", "", false, true, "BackendNotFound", "Service shop"},
		{"unknown reason", refusedAs(resolvedRefs, "Odd"), "", "", false, true, "Odd", "log of the Gateway's controller"},
		{"Gateway pending", parent(good), "spec: {}", "", false, false, "Gateway edge/public: its controller", ""},
		{"Gateway invalid", parent(good), "status: {conditions: [{type: Programmed, status: 'False', reason: Invalid}]}", "",
			false, true, "Gateway edge/public: Programmed is False: Invalid", "status of Gateway edge/public"},
		{"certificate", parent(good), "status: {conditions: [{type: Programmed, status: 'False', reason: Invalid}], " +
			"listeners: [{name: tls, conditions: [{type: ResolvedRefs, status: 'False', reason: InvalidCertificateRef}]}]}", "",
			false, true, "listener tls: ResolvedRefs is False: InvalidCertificateRef", "create the Secret"},
		{"no listener, because it has no certificate", parent("{type: Accepted, status: 'False', reason: NoMatchingParent}"),
			strings.TrimSuffix(programmedGateway, "}") + ", listeners: [{name: tls, conditions: " +
				"[{type: ResolvedRefs, status: 'False', reason: InvalidCertificateRef}]}]}", "", false, true,
			"NoMatchingParent; listener tls: ResolvedRefs is False: InvalidCertificateRef", "create the Secret"},
		{"no listener", parent("{type: Accepted, status: 'False', reason: NoMatchingParent}"), programmedGateway, "", false,
			true, "Accepted is False: NoMatchingParent", "set route.section"},
		{"refused by both", parent("{type: Accepted, status: 'False', reason: NotAllowedByListeners}"),
			"status: {conditions: [{type: Programmed, status: 'False', reason: Invalid}]}", "", false, true,
			"Accepted is False", ""},
		{"the refusal of the Gateway explains the silence", "metadata: {namespace: web}",
			"status: {conditions: [{type: Programmed, status: 'False', reason: Invalid}]}", "", false, true, "Programmed", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var gateway *unstructured.Unstructured
			if c.gateway != "" {
				gateway = object(t, c.gateway)
			}
			v := JudgeHTTPRoute(object(t, c.route), gateway, routed("edge/public", c.section))
			if v.Ready != c.ready || v.Refused != c.refused || v.Unsure ||
				!strings.Contains(v.Detail, c.detail) || !strings.Contains(v.Hint, c.hint) {
				t.Errorf("%+v", v)
			}
		})
	}
}

// If two controllers answer for the same Gateway, the one that accepts counts.
func TestJudgeTwoControllers(t *testing.T) {
	route := object(t, `
metadata: {namespace: edge}
status:
  parents:
  - {parentRef: {name: public}, conditions: [{type: Accepted, status: "False", reason: NoMatchingParent}]}
  - {parentRef: {name: other}, conditions: [{type: Accepted, status: "False", reason: Odd}]}
  - parentRef: {name: public}
    conditions: [{type: Accepted, status: "True"}, {type: ResolvedRefs, status: "True"}]
`)
	if v := JudgeHTTPRoute(route, nil, routed("edge/public", "")); !v.Ready {
		t.Errorf("%+v", v)
	}
}

// A listener that does not work is a warning, unless the route needs it. A missing address alone proves nothing.
func TestJudgeListeners(t *testing.T) {
	const broken = "conditions: [{type: ResolvedRefs, status: 'False', reason: RefNotPermitted}]}"
	conditions := "{type: Accepted, status: 'True'}, {type: ResolvedRefs, status: 'True'}"
	two := object(t, strings.TrimSuffix(programmedGateway, "}")+", listeners: [{name: http}, {name: tls, "+broken+"]}")
	one := object(t, strings.TrimSuffix(programmedGateway, "}")+", listeners: [{name: tls, "+broken+"]}")
	addressless := object(t, "status: {conditions: [{type: Programmed, status: 'False', reason: AddressNotAssigned}]}")
	const warning = "listener tls of Gateway edge/public: ResolvedRefs is False: RefNotPermitted; create a ReferenceGrant"
	if v := JudgeHTTPRoute(object(t, parent(conditions)), two, routed("edge/public", "")); !v.Ready ||
		!strings.Contains(v.Warning, warning) {
		t.Errorf("one of two listeners: %+v", v)
	}
	if v := JudgeHTTPRoute(object(t, parent(conditions)), one, routed("edge/public", "")); v.Ready || !v.Refused {
		t.Errorf("the only listener: %+v", v)
	}
	named := strings.Replace(parent(conditions), "name: public", "name: public, sectionName: tls", 1)
	if v := JudgeHTTPRoute(object(t, named), two, routed("edge/public", "tls")); v.Ready || !v.Refused {
		t.Errorf("the listener of the route: %+v", v)
	}
	v := JudgeHTTPRoute(object(t, parent(conditions)), addressless, routed("edge/public", ""))
	if v.Ready || v.Refused || !v.Unsure {
		t.Errorf("no address: %+v", v)
	}
}

// An Ingress is ready with an address or a host name.
func TestJudgeIngress(t *testing.T) {
	i := &networkingv1.Ingress{}
	spec := routed("", "")
	spec.Route.Ingress = "nginx"
	if v := JudgeIngress(i, spec); v.Ready || !v.Unsure || !strings.Contains(v.Detail, "IngressClass nginx") {
		t.Errorf("%+v", v)
	}
	i.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{
		{IP: "192.0.2.1"}, {Hostname: "lb.example.com"},
	}
	if v := JudgeIngress(i, spec); !v.Ready || v.Detail != "at 192.0.2.1, lb.example.com" {
		t.Errorf("%+v", v)
	}
}

// A host is taken by whatever else routes all its requests, and by nothing else.
func TestTaken(t *testing.T) {
	const norns = "metadata: {name: other, namespace: web, uid: u, annotations: {norn/uid: u}, " +
		"labels: {managed-by: norn, app: APP}}"
	const theirs = "metadata: {name: other, namespace: else}"
	ours, copied := strings.Replace(norns, "APP", "shop", 1), strings.Replace(norns, "uid: u,", "uid: v,", 1)
	toHost := func(rule string) string {
		return theirs + "\nspec: {hostnames: [shop.example.com], rules: [{" + rule + "}]}"
	}
	ingress := func(path string) string {
		return "spec: {rules: [{host: shop.example.com, http: {paths: [{" + path + "backend: {service: {name: x}}}]}}]}"
	}
	for _, c := range []struct {
		name, ingress, route string
		taken, adopted       bool // adopted is whether --adopt allows it
	}{
		{"Ingress", theirs + "\n" + ingress("path: /, pathType: Prefix, "), "", true, true},
		{"Ingress without a path", theirs + "\n" + ingress(""), "", true, true},
		{"a path", theirs + "\n" + ingress("path: /.well-known/x, "), "", false, true},
		{"an exact path", theirs + "\n" + ingress("path: /, pathType: Exact, "), "", false, true},
		{"another host", theirs + "\n" + strings.Replace(ingress("path: /, "), "shop.", "www.", 1), "", false, true},
		{"the app's own", ours + "\n" + ingress("path: /, "), "", false, true},
		{"another app of norn", strings.Replace(norns, "APP", "blog", 1) + "\n" + ingress("path: /, "), "", true, false},
		{"a copy of the app's own", strings.Replace(copied, "APP", "shop", 1) + "\n" + ingress("path: /, "), "", true, true},
		{"HTTPRoute", "", toHost("backendRefs: [{name: x}]"), true, true},
		{"HTTPRoute at /", "", toHost("matches: [{path: {value: /}}], backendRefs: [{name: x}]"), true, true},
		{"HTTPRoute at a path", "", toHost("matches: [{path: {value: /x}}], backendRefs: [{name: x}]"), false, true},
		{"HTTPRoute for a method", "", toHost("matches: [{method: PUT}], backendRefs: [{name: x}]"), false, true},
		{"a redirect", "", toHost("filters: [{type: RequestRedirect}]"), false, true},
		{"HTTPRoute of all hosts", "", theirs + "\nspec: {rules: [{backendRefs: [{name: x}]}]}", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var others Others
			if c.ingress != "" {
				var i networkingv1.Ingress
				if err := yaml.Unmarshal([]byte(c.ingress), &i); err != nil {
					t.Fatal(err)
				}
				others.Ingresses = append(others.Ingresses, i)
			} else {
				others.HTTPRoutes = append(others.HTTPRoutes, *object(t, c.route))
			}
			hosts := []string{"free.example.com", "shop.example.com"}
			if err := others.Taken("web", "shop", hosts, false); (err != nil) != c.taken {
				t.Errorf("taken: %v", err)
			}
			if err := others.Taken("web", "shop", hosts, true); (err == nil) != c.adopted {
				t.Errorf("with --adopt: %v", err)
			}
		})
	}
}
