package forge

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/pipeline"
)

// tunnelSteps returns the steps that route the external host to the app, or remove rules that the infraspec no longer
// asks for.
func (r *run) tunnelSteps() []Step {
	name := "Tunnel " + r.spec.Hosts.External.String()
	switch {
	case tunnel.Routed(r.spec):
		rules := tunnel.RulesFor(r.spec, r.options.Namespace)
		steps := []Step{{Name: name, Run: r.route(rules), Plan: r.planTunnel(rules)}}
		for _, host := range r.spec.Hosts.External {
			steps = append(steps, Step{Name: "DNS " + host, Run: r.dns(host)})
		}
		return steps
	case r.keepsRules():
		const why = "its rule stays too, because the DNS record may still lead to the tunnel; " +
			"norn removes it when the host is no longer in the infraspec"
		keep := pipeline.Fixed(drift.Change{}, pipeline.Skipped, why)
		return []Step{{Name: "Tunnel " + strings.Join(r.routes(), " "), Run: keep, Plan: keep}}
	case r.removesRoute():
		return []Step{{
			Name: strings.TrimSpace("Tunnel " + strings.Join(r.routes(), " ")),
			Run:  r.removeRoute, Plan: r.planTunnel(nil),
		}}
	case len(r.spec.Hosts.External) == 0 || r.spec.Route.IsSet():
		return nil
	}
	skip := pipeline.Fixed(drift.Change{}, pipeline.Skipped, "a tunnel rule also requires a webserver with hosts.internal")
	return []Step{{Name: name, Run: skip, Plan: skip}}
}

// routes returns the hosts of the rules with which norn routes traffic to the app.
func (r *run) routes() []string {
	if r.live.tunnel == nil {
		return nil
	}
	return tunnel.OwnersOf(r.live.tunnel).Hosts(r.appKey())
}

// keepsRules reports whether the app's rules stay beside its route. DNS records change late, and norn does not know
// when.
func (r *run) keepsRules() bool {
	return r.spec.Route.IsSet() && slices.ContainsFunc(r.routes(), func(host string) bool {
		return slices.Contains(r.spec.Hosts.External, host)
	})
}

// removesRoute reports whether rules must be removed, or cloudflared restarted after an interrupted removal.
func (r *run) removesRoute() bool {
	if r.live.tunnel == nil || tunnel.Routed(r.spec) {
		return false
	}
	return len(r.routes()) > 0 || tunnel.Unfinished(r.live.tunnel, r.appKey())
}

// checkTunnelHosts returns an error if the tunnel routes one of the hosts elsewhere. It tries the edit on a copy.
func (r *run) checkTunnelHosts() error {
	if !tunnel.Routed(r.spec) || r.live.tunnel == nil {
		return nil
	}
	_, _, err := tunnel.Edit(
		r.live.tunnel.DeepCopy(), r.appKey(), tunnel.RulesFor(r.spec, r.options.Namespace), r.options.Adopt,
	)
	if errors.Is(err, tunnel.ErrNoConfig) {
		return nil
	}
	return err
}

// removeRoute removes the rules of an app that no longer has a public host, or has another route.
func (r *run) removeRoute(ctx context.Context, out io.Writer) (drift.Change, pipeline.Result, error) {
	t := &cloudflared{cluster: r.cluster, out: out}
	result, err := t.change(ctx, r.appKey(), nil)
	if err == nil && result.State == pipeline.Configured {
		result = pipeline.Result{State: pipeline.Deleted, Detail: "no longer in the infraspec; the DNS record remains"}
	}
	return drift.Change{}, result, err
}

// route returns a Func that routes the hosts of the rules to the app.
func (r *run) route(rules []tunnel.Rule) pipeline.Func[drift.Change] {
	return func(ctx context.Context, out io.Writer) (drift.Change, pipeline.Result, error) {
		t := &cloudflared{cluster: r.cluster, out: out, adopt: r.options.Adopt}
		result, err := t.change(ctx, r.appKey(), rules)
		if err == nil && result.State == pipeline.Configured {
			result.Detail = "leads to " + rules[0].Service
		}
		return drift.Change{}, result, err
	}
}

// planTunnel returns a Func that returns the change of cloudflared's configuration. Without rules, the change removes
// the app's.
func (r *run) planTunnel(rules []tunnel.Rule) pipeline.Func[drift.Change] {
	return func(_ context.Context, out io.Writer) (drift.Change, pipeline.Result, error) {
		planned := pipeline.Result{State: pipeline.Planned}
		if r.live.tunnelMissing != nil {
			warnUnrouted(out, rules, missingConfig(r.live.tunnelMissing))
		}
		if r.live.tunnel == nil {
			return drift.Change{}, planned, nil
		}
		before := r.live.tunnel.DeepCopy()
		maps.DeleteFunc(before.Data, func(key, _ string) bool { return key != tunnel.ConfigKey })
		after := before.DeepCopy()
		_, _, err := tunnel.Edit(after, r.appKey(), rules, r.options.Adopt)
		if missing := missingConfig(err); missing != "" {
			warnUnrouted(out, rules, missing)
		} else if err != nil {
			return drift.Change{}, pipeline.Result{}, err
		}
		if drift.Diff(before, after) == "" {
			return drift.Change{}, planned, nil
		}
		return drift.Change{
			Kind:   objects.KindConfigMap,
			Name:   tunnel.ConfigMap,
			State:  pipeline.Configured,
			Before: before,
			After:  after,
		}, planned, nil
	}
}

// appKey names the app in the configuration's annotations.
func (r *run) appKey() string { return tunnel.AppKey(r.options.Namespace, r.spec.App) }
