package doctor

import (
	"context"
	"slices"
	"strings"

	"norn/pkg/forge/objects"
	"norn/pkg/forge/route"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// routeCheck returns the check of the app's route: an Ingress, an HTTPRoute or the tunnel.
func (e *examination) routeCheck() check {
	if objects.RouteKind(e.spec) != "" {
		return check{name: "route", cluster: true, run: e.route}
	}
	return check{name: "tunnel", cluster: true, run: e.tunnel}
}

// route checks whether a controller routes the public hosts of an app with an Ingress or an HTTPRoute.
func (e *examination) route(ctx context.Context) Verdict {
	kind, spec := objects.RouteKind(e.spec), e.spec
	judge := e.judgeHTTPRoute
	if kind == objects.KindIngress {
		judge = e.judgeIngress
	}
	v, early, err := judge(ctx)
	switch {
	case early != nil:
		return *early
	case k8s.IsNotFound(err):
		return warning("create it with norn forge "+spec.App, "there is no %s %s yet", kind, spec.App)
	case is[*k8s.DeniedError](err):
		return skipped("the user cannot read %s %s (see permissions)", kind, spec.App)
	case err != nil:
		return problem(pipeline.HintOf(err), "%s", err)
	case v.Unsure:
		return warning(v.Hint, "%s %s: %s", kind, spec.App, v.Detail)
	case !v.Ready:
		return problem(v.Hint, "%s %s: %s", kind, spec.App, v.Detail)
	case v.Warning != "":
		return warning("", "%s", v.Warning)
	}
	return ok("requests for %s arrive %s", strings.Join(spec.Hosts.External, ", "), v.Detail)
}

func (e *examination) judgeIngress(ctx context.Context) (v route.Verdict, early *Verdict, err error) {
	classes, err := e.client.IngressClasses(ctx)
	if class := e.spec.Route.Ingress; err == nil && !slices.Contains(classes, class) {
		missing := problem("install its controller, or set route.ingress to an IngressClass of the cluster",
			"IngressClass %s does not exist", class)
		return v, &missing, nil
	}
	live, err := e.client.GetIngress(ctx, e.Config.Namespace, e.spec.App)
	if err != nil {
		return v, nil, err
	}
	return route.JudgeIngress(live, e.spec), nil, nil
}

func (e *examination) judgeHTTPRoute(ctx context.Context) (v route.Verdict, early *Verdict, err error) {
	if serves, err := e.client.ServesHTTPRoutes(ctx); err == nil && !serves {
		missing := problem("install the Gateway API and a controller for it, or set route.ingress",
			"the cluster does not serve HTTPRoutes (%s)", k8s.GatewayVersion)
		return v, &missing, nil
	}
	ns, name := e.spec.Route.SplitGateway()
	gateway, err := e.client.GetGateway(ctx, ns, name)
	if k8s.IsNotFound(err) {
		missing := problem("create it, or set route.gateway to NAMESPACE/NAME of another",
			"Gateway %s in namespace %s does not exist", name, ns)
		return v, &missing, nil
	}
	if err != nil && !is[*k8s.DeniedError](err) {
		return v, nil, err
	}
	live, err := e.client.GetHTTPRoute(ctx, e.Config.Namespace, e.spec.App)
	if err != nil {
		return v, nil, err
	}
	return route.JudgeHTTPRoute(live, gateway, e.spec), nil, nil
}
