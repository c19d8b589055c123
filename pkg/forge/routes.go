package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/forge/route"
	"norn/pkg/forge/tunnel"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// RouteError reports that the app's public hosts are not routed: what a route needs is missing, or a controller refuses
// it. The app's Pods are not affected.
type RouteError struct{ Problem, Advice string }

// Error returns the problem.
func (e *RouteError) Error() string { return e.Problem }

// Hint returns advice.
func (e *RouteError) Hint() string { return e.Advice }

// routes reads the Ingress and the HTTPRoute with the app's name. A user without the permission has none.
func (r *reads) routes(ctx context.Context, cluster *k8s.Client, l *live, app, ns string) {
	ifAllowed := func(read func() (func(), error)) {
		r.start(func() (func(), error) {
			keep, err := read()
			if _, denied := errors.AsType[*k8s.DeniedError](err); denied {
				return func() {}, nil
			}
			return keep, err
		})
	}
	ifAllowed(func() (func(), error) {
		i, err := cluster.GetIngress(ctx, ns, app)
		return func() { l.ingress = i }, err
	})
	ifAllowed(func() (func(), error) {
		h, err := cluster.GetHTTPRoute(ctx, ns, app)
		return func() { l.httpRoute = h }, err
	})
}

// routes returns the app's live Ingress and HTTPRoute.
func (l *live) routes() []liveObject {
	var all []liveObject
	if l.ingress != nil {
		all = append(all, liveObject{objects.KindIngress, l.ingress})
	}
	if l.httpRoute != nil {
		all = append(all, liveObject{objects.KindHTTPRoute, l.httpRoute})
	}
	return all
}

// forgetOtherRoutes removes the routes that are not norn's and whose kind the infraspec does not need. They conflict
// with nothing.
func (l *live) forgetOtherRoutes(spec *infraspec.Spec) {
	kind := objects.RouteKind(spec)
	if l.ingress != nil && kind != objects.KindIngress && !metadata.IsOwned(l.ingress, spec.App) {
		l.ingress = nil
	}
	if l.httpRoute != nil && kind != objects.KindHTTPRoute && !metadata.IsOwned(l.httpRoute, spec.App) {
		l.httpRoute = nil
	}
}

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
	for _, ns := range []string{"", r.options.Namespace} {
		others.Ingresses, err = r.cluster.ListIngresses(ctx, ns)
		if err == nil {
			others.HTTPRoutes, err = r.cluster.ListHTTPRoutes(ctx, ns)
		}
		if _, denied := errors.AsType[*k8s.DeniedError](err); !denied {
			return others, err
		}
		r.hostsUnchecked = true
	}
	return others, nil
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

// checkGateway returns an error if the cluster does not serve HTTPRoutes, or the Gateway or its listener does not exist.
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

// routeSteps returns the steps that apply the app's Ingress or HTTPRoute, and wait for its controller.
func (r *run) routeSteps() []Step {
	kind := objects.RouteKind(r.spec)
	if kind == "" {
		return nil
	}
	change := (*run).ingress
	if kind == objects.KindHTTPRoute {
		change = (*run).httpRoute
	}
	steps := []Step{r.objectStep(kind, r.spec.App, change)}
	if !r.options.NoWait {
		steps = append(steps, Step{Name: "Route " + r.spec.Hosts.External.String(), Run: r.awaitRoute})
	}
	return steps
}

func (r *run) ingress(ctx context.Context) (drift.Change, pipeline.Result, error) {
	conf := objects.Ingress(r.spec, r.options.Settings)
	return applyRoute(ctx, r, r.live.ingress, conf, r.cluster.CreateIngress)
}

func (r *run) httpRoute(ctx context.Context) (drift.Change, pipeline.Result, error) {
	conf := objects.HTTPRoute(r.spec, r.options.Settings)
	return applyRoute(ctx, r, r.live.httpRoute, conf, r.cluster.CreateHTTPRoute)
}

// applyRoute applies the app's Ingress or HTTPRoute.
func applyRoute[T, C any, P typed[T]](
	ctx context.Context, r *run, live P, conf C, apply func(context.Context, C) (P, error),
) (drift.Change, pipeline.Result, error) {
	kind, before := objects.RouteKind(r.spec), object[T, P](live)
	if _, err := r.adopt(ctx, kind, before); err != nil {
		return drift.Change{}, pipeline.Result{}, err
	}
	now, err := applyOrPlan(ctx, r, live, conf, apply)
	if err == nil {
		now, err = mark(ctx, r, now, "")
	}
	if err != nil {
		return drift.Change{}, pipeline.Result{}, err
	}
	detail := "class " + r.spec.Route.Ingress
	if kind == objects.KindHTTPRoute {
		detail = "Gateway " + r.spec.Route.Gateway
	}
	if r.hostsUnchecked {
		detail += "; routes of other namespaces are not checked (docs/routes.md)"
	}
	change, result := r.outcome(kind, before, now, detail)
	return change, result, nil
}

const (
	// defaultRouteTimeout is how long to wait for a route's controller.
	defaultRouteTimeout = 5 * time.Minute
	// refusalHolds is how long a controller must refuse a route. At first, it may not have seen a new Service yet.
	refusalHolds = 5 * time.Second
	// routeInterval is the time between two reads of a route's status.
	routeInterval = 500 * time.Millisecond
)

// awaitRoute waits until a controller routes the app's hosts. It fails if the controller refuses, or does not answer
// in time. A missing address alone is a warning, because some controllers publish none.
func (r *run) awaitRoute(ctx context.Context, out io.Writer) (none drift.Change, result pipeline.Result, err error) {
	begin, timeout := time.Now(), cmp.Or(r.options.Timeout, defaultRouteTimeout)
	said, refusal, since := "", "", begin
	for {
		v, unchanged, err := r.judgeRoute(ctx)
		if err != nil {
			return none, result, err
		}
		waited := time.Since(begin)
		if v.Detail != refusal {
			refusal, since = v.Detail, time.Now()
		}
		late := waited >= timeout
		switch {
		case v.Ready:
			r.warnRoute(ctx, out, v)
			return none, pipeline.Result{State: pipeline.Done, Detail: v.Detail}, nil
		case v.Unsure && (late || unchanged) && !r.options.Strict:
			pipeline.Warn(out, "%v; %s", r.notRouted(v, waited), v.Hint)
			return none, pipeline.Result{State: pipeline.Skipped, Detail: "no address yet"}, nil
		case late, v.Refused && time.Since(since) >= refusalHolds, v.Unsure && unchanged:
			return none, result, r.notRouted(v, waited)
		}
		if said != v.Detail && waited > quietWait {
			said = v.Detail
			pipeline.Wait(out, "waiting: "+v.Detail, nil)
		}
		select {
		case <-ctx.Done():
			return none, result, fmt.Errorf("%s: %w", v.Detail, context.Cause(ctx))
		case <-time.After(routeInterval):
		}
	}
}

// notRouted returns the error that the app's hosts are not routed.
func (r *run) notRouted(v route.Verdict, waited time.Duration) *RouteError {
	text := fmt.Sprintf("%s is not routed: %s %s: %s", strings.Join(r.spec.Hosts.External, ", "),
		objects.RouteKind(r.spec), r.spec.App, v.Detail)
	if !v.Refused && waited > quietWait {
		text += fmt.Sprintf(" (norn waited %s)", waited.Round(time.Second))
	}
	return &RouteError{text, v.Hint}
}

// judgeRoute reads the status of the app's route. unchanged is whether the route is the same as before this run.
func (r *run) judgeRoute(ctx context.Context) (v route.Verdict, unchanged bool, err error) {
	ns := r.options.Namespace
	if objects.RouteKind(r.spec) == objects.KindIngress {
		i, err := r.cluster.GetIngress(ctx, ns, r.spec.App)
		if err != nil {
			return v, false, err
		}
		before := r.live.ingress
		return route.JudgeIngress(i, r.spec), before != nil && before.Generation == i.Generation, nil
	}
	h, err := r.cluster.GetHTTPRoute(ctx, ns, r.spec.App)
	if err != nil {
		return v, false, err
	}
	gatewayNamespace, name := r.spec.Route.SplitGateway()
	gateway, err := r.cluster.GetGateway(ctx, gatewayNamespace, name)
	if _, denied := errors.AsType[*k8s.DeniedError](err); err != nil && !denied {
		return v, false, err
	}
	before := r.live.httpRoute
	return route.JudgeHTTPRoute(h, gateway, r.spec), before != nil && before.GetGeneration() == h.GetGeneration(), nil
}

// warnRoute warns about what does not work although the route is ready: a listener, or TLS without the Secret.
func (r *run) warnRoute(ctx context.Context, out io.Writer, v route.Verdict) {
	if v.Warning != "" {
		pipeline.Warn(out, "%s", v.Warning)
	}
	secret := r.spec.Route.TLS
	if secret == "" || objects.RouteKind(r.spec) != objects.KindIngress {
		return
	}
	if _, err := r.cluster.GetSecret(ctx, r.options.Namespace, secret); k8s.IsNotFound(err) {
		pipeline.Warn(out, "Secret %s does not exist, so browsers reject the certificate of %s; create it, or set the "+
			"annotation with which cert-manager does so, such as cert-manager.io/cluster-issuer",
			secret, strings.Join(r.spec.Hosts.External, ", "))
	}
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
