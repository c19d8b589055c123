package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/forge/route"
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

// forgetOtherRoutes removes the routes that norn does not manage and whose kind the infraspec does not need. They
// conflict with nothing.
func (l *live) forgetOtherRoutes(spec *infraspec.Spec) {
	kind := objects.RouteKind(spec)
	if l.ingress != nil && kind != objects.KindIngress && !metadata.IsOwned(l.ingress, spec.App) {
		l.ingress = nil
	}
	if l.httpRoute != nil && kind != objects.KindHTTPRoute && !metadata.IsOwned(l.httpRoute, spec.App) {
		l.httpRoute = nil
	}
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
	// refusalHolds is how long a controller must refuse a route. At first, it might not know a new Service yet.
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
			r.routeWorks = true
			r.warnRoute(ctx, out, v)
			return none, pipeline.Result{State: pipeline.Done, Detail: v.Detail}, nil
		case v.Unsure && (late || unchanged) && !r.options.Strict:
			pipeline.Warn(out, "%v; %s", r.notRouted(v, waited), v.Hint)
			r.routeWorks = unchanged
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
