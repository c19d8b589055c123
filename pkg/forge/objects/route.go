package objects

import (
	"maps"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	applynetworking "k8s.io/client-go/applyconfigurations/networking/v1"

	"norn/pkg/infraspec"
)

// RouteKind returns the kind of the object that routes the app's public hosts, or "" if that is the tunnel or nothing.
func RouteKind(spec *infraspec.Spec) string {
	switch {
	case spec.Role != infraspec.Webserver || spec.Hosts.Internal == "" || len(spec.Hosts.External) == 0:
		return ""
	case spec.Route.Gateway != "":
		return KindHTTPRoute
	case spec.Route.Ingress != "":
		return KindIngress
	}
	return ""
}

// Route returns the app's Ingress or HTTPRoute, or nil.
func Route(spec *infraspec.Spec, s Settings) any {
	switch RouteKind(spec) {
	case KindIngress:
		return Ingress(spec, s)
	case KindHTTPRoute:
		return HTTPRoute(spec, s)
	}
	return nil
}

// Ingress returns the app's Ingress. The infraspec must have a route of this kind.
func Ingress(spec *infraspec.Spec, s Settings) *applynetworking.IngressApplyConfiguration {
	backend := applynetworking.IngressBackend().WithService(applynetworking.IngressServiceBackend().
		WithName(spec.Hosts.Internal).WithPort(applynetworking.ServiceBackendPort().WithNumber(servicePort)))
	out := applynetworking.IngressSpec().WithIngressClassName(spec.Route.Ingress)
	for _, host := range spec.Hosts.External {
		path := applynetworking.HTTPIngressPath().WithPath("/").WithPathType(networkingv1.PathTypePrefix).WithBackend(backend)
		out.WithRules(applynetworking.IngressRule().WithHost(host).
			WithHTTP(applynetworking.HTTPIngressRuleValue().WithPaths(path)))
	}
	if spec.Route.TLS != "" {
		out.WithTLS(applynetworking.IngressTLS().WithHosts(spec.Hosts.External...).WithSecretName(spec.Route.TLS))
	}
	conf := applynetworking.Ingress(spec.App, s.Namespace).WithLabels(Labels(spec)).WithSpec(out)
	if len(spec.Route.Annotations) > 0 {
		conf.WithAnnotations(spec.Route.Annotations)
	}
	return conf
}

// gatewayGroup is the API group of the Gateway API.
const gatewayGroup = "gateway.networking.k8s.io"

// HTTPRoute returns the app's HTTPRoute. The infraspec must have a route of this kind. It sets the fields to which the
// API server would give defaults, so that what forge applies equals what is in the cluster.
func HTTPRoute(spec *infraspec.Spec, s Settings) *unstructured.Unstructured {
	namespace, name := spec.Route.SplitGateway()
	parent := map[string]any{"group": gatewayGroup, "kind": "Gateway", "namespace": namespace, "name": name}
	if spec.Route.Section != "" {
		parent["sectionName"] = spec.Route.Section
	}
	hosts := make([]any, 0, len(spec.Hosts.External))
	for _, host := range spec.Hosts.External {
		hosts = append(hosts, host)
	}
	out := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": gatewayGroup + "/v1",
		"kind":       KindHTTPRoute,
		"spec": map[string]any{
			"parentRefs": []any{parent},
			"hostnames":  hosts,
			"rules": []any{map[string]any{
				"matches": []any{map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/"}}},
				"backendRefs": []any{map[string]any{
					"group": "", "kind": KindService, "name": spec.Hosts.Internal, "port": int64(servicePort), "weight": int64(1),
				}},
			}},
		},
	}}
	out.SetName(spec.App)
	out.SetNamespace(s.Namespace)
	out.SetLabels(Labels(spec))
	if len(spec.Route.Annotations) > 0 {
		out.SetAnnotations(maps.Clone(spec.Route.Annotations))
	}
	return out
}
