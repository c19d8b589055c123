package forge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"norn/pkg/forge/objects"
	"norn/pkg/forge/route"
	"norn/pkg/forge/tunnel"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// checkRoute returns an error, before the first write, if the cluster lacks what the route needs, or if something else
// routes one of its hosts. What the user cannot read is not checked.
func (r *run) checkRoute(ctx context.Context) error {
	kind := objects.RouteKind(r.spec)
	var lacks error
	switch kind {
	case objects.KindIngress:
		lacks = r.checkClass(ctx)
	case objects.KindHTTPRoute:
		lacks = r.checkGateway(ctx)
	}
	if kind == "" || lacks != nil {
		return lacks
	}
	others, err := r.otherRoutes(ctx)
	if err != nil {
		return err
	}
	had := route.Hosts(r.live.ingress, r.live.httpRoute)
	hosts := slices.DeleteFunc(slices.Clone(r.spec.Hosts.External), func(h string) bool { return slices.Contains(had, h) })
	return others.Taken(r.options.Namespace, r.spec.App, hosts, r.options.Adopt)
}

// otherRoutes lists the routes of all namespaces, or else of the app's.
func (r *run) otherRoutes(ctx context.Context) (others route.Others, err error) {
	if others.Ingresses, err = listed(ctx, r, r.cluster.ListIngresses); err != nil {
		return others, err
	}
	others.HTTPRoutes, err = listed(ctx, r, r.cluster.ListHTTPRoutes)
	return others, err
}

// listed lists the objects of one kind in all namespaces, or in the app's if the user is not allowed to.
func listed[T any](ctx context.Context, r *run, list func(ctx context.Context, ns string) ([]T, error)) ([]T, error) {
	for _, ns := range []string{"", r.options.Namespace} {
		all, err := list(ctx, ns)
		if _, denied := errors.AsType[*k8s.DeniedError](err); !denied {
			return all, err
		}
		r.hostsUnchecked = true
	}
	return nil, nil
}

// checkClass returns an error if the IngressClass does not exist.
func (r *run) checkClass(ctx context.Context) error {
	classes, err := r.cluster.IngressClasses(ctx)
	if _, denied := errors.AsType[*k8s.DeniedError](err); denied {
		return nil
	}
	if err != nil || slices.Contains(classes, r.spec.Route.Ingress) {
		return err
	}
	advice := "install an Ingress controller, or set route.gateway"
	if len(classes) > 0 {
		advice = "set route.ingress to one of the cluster's classes: " + strings.Join(classes, ", ")
	}
	return &RouteError{fmt.Sprintf("IngressClass %s does not exist", r.spec.Route.Ingress), advice}
}

// checkGateway returns an error if the cluster does not serve HTTPRoutes, or if the Gateway or its listener does not
// exist.
func (r *run) checkGateway(ctx context.Context) error {
	serves, err := r.cluster.ServesHTTPRoutes(ctx)
	if err != nil {
		return err
	}
	if !serves {
		return &RouteError{
			"the cluster does not serve HTTPRoutes (" + k8s.GatewayVersion + "), which route.gateway needs",
			"install the Gateway API and a controller for it, or set route.ingress",
		}
	}
	ns, name := r.spec.Route.SplitGateway()
	gateway, err := r.cluster.GetGateway(ctx, ns, name)
	_, denied := errors.AsType[*k8s.DeniedError](err)
	switch {
	case denied:
		return nil
	case k8s.IsNotFound(err):
		return &RouteError{
			fmt.Sprintf("Gateway %s in namespace %s does not exist", name, ns),
			"create it, or set route.gateway to NAMESPACE/NAME of another; see kubectl get gateways --all-namespaces",
		}
	case err != nil:
		return err
	}
	if names := route.Listeners(gateway); r.spec.Route.Section != "" && !slices.Contains(names, r.spec.Route.Section) {
		return &RouteError{
			fmt.Sprintf("Gateway %s has no listener %s", r.spec.Route.Gateway, r.spec.Route.Section),
			"set route.section to one of its listeners: " + strings.Join(names, ", "),
		}
	}
	return nil
}

// checkRouted returns an error with --strict if nothing would route the public hosts.
func (r *run) checkRouted() error {
	if !r.options.Strict || r.spec.Role != infraspec.Webserver || len(r.spec.Hosts.External) == 0 ||
		r.spec.Route.IsSet() {
		return nil
	}
	why := ""
	switch {
	case r.spec.Hosts.Internal == "":
		why = "the infraspec has no hosts.internal"
	case r.live.tunnelMissing != nil:
		why = missingConfig(r.live.tunnelMissing)
	case r.live.tunnel != nil:
		if _, configured := r.live.tunnel.Data[tunnel.ConfigKey]; !configured {
			why = missingConfig(tunnel.ErrNoConfig)
		}
	}
	if why == "" {
		return nil
	}
	return &RouteError{
		fmt.Sprintf("norn does not route %s: %s", strings.Join(r.spec.Hosts.External, ", "), why),
		"set route in the infraspec (docs/routes.md); without --strict, this is a warning",
	}
}
