package status

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"norn/pkg/forge/objects"
	"norn/pkg/forge/route"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// routes are the routes of an app.
type routes struct {
	ingresses  []networkingv1.Ingress
	httpRoutes []unstructured.Unstructured

	ingressesDenied, httpRoutesDenied bool // the user cannot list them
}

func routesOf(inv *k8s.Inventory, app string) routes {
	return routes{
		owned(inv.Ingresses, app), owned(inv.HTTPRoutes, app), inv.IngressesDenied, inv.HTTPRoutesDenied,
	}
}

// routes compares the app's Ingress or HTTPRoute, and names the routes that the infraspec no longer needs.
func (d *drifts) routes(have routes, spec *infraspec.Spec, s objects.Settings) {
	kind := objects.RouteKind(spec)
	denied := kind == objects.KindIngress && have.ingressesDenied || kind == objects.KindHTTPRoute && have.httpRoutesDenied
	found := kind == "" || denied
	for i := range have.ingresses {
		o := &have.ingresses[i]
		if kind == objects.KindIngress && o.Name == spec.App {
			found = true
			d.compare("Ingress "+o.Name, objects.Ingress(spec, s), o)
			continue
		}
		d.found = append(d.found, "Ingress "+o.Name+" is no longer in the infraspec")
	}
	for i := range have.httpRoutes {
		o := &have.httpRoutes[i]
		if kind == objects.KindHTTPRoute && o.GetName() == spec.App {
			found = true
			d.compare("HTTPRoute "+o.GetName(), objects.HTTPRoute(spec, s), o)
			continue
		}
		d.found = append(d.found, "HTTPRoute "+o.GetName()+" is no longer in the infraspec")
	}
	if !found {
		d.found = append(d.found, kind+" "+spec.App+" is missing")
	}
}

// route describes whether a controller routes the app's public hosts.
func (d *detail) route(ctx context.Context) {
	spec := d.local.Spec
	if d.inventory == nil || spec == nil {
		return
	}
	have := routesOf(d.inventory, d.Name)
	var v route.Verdict
	switch kind := objects.RouteKind(spec); {
	case kind == objects.KindIngress && len(have.ingresses) > 0:
		v = route.JudgeIngress(&have.ingresses[0], spec)
	case kind == objects.KindHTTPRoute && len(have.httpRoutes) > 0:
		ns, name := spec.Route.SplitGateway()
		gateway, err := d.cluster.GetGateway(ctx, ns, name)
		if err != nil {
			gateway = nil
		}
		v = route.JudgeHTTPRoute(&have.httpRoutes[0], gateway, spec)
	default:
		return
	}
	d.Route = objects.RouteKind(spec) + " " + d.Name + ": " + v.Detail
	if !v.Ready {
		d.Route = objects.RouteKind(spec) + " " + d.Name + ": not routed: " + v.Detail
	}
}
