package forge

import (
	"context"
	"errors"
	"io"
	"maps"
	"strings"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/pipeline"
)

// tunnelSteps returns the steps that route the external host to the app, or remove rules that the infraspec no longer
// asks for.
func (r *run) tunnelSteps() []Step {
	host := r.spec.Hosts.External
	switch {
	case tunnel.Routed(r.spec):
		rule := tunnel.RuleFor(r.spec, r.options.Namespace)
		return []Step{
			{Name: "Tunnel " + host, Run: r.route(rule), Plan: r.planTunnel(rule)},
			{Name: "DNS " + host, Run: r.dns},
		}
	case r.removesRoute():
		return []Step{{
			Name: strings.TrimSpace("Tunnel " + strings.Join(r.routes(), " ")),
			Run:  r.removeRoute, Plan: r.planTunnel(tunnel.Rule{}),
		}}
	case host == "":
		return nil
	}
	skip := pipeline.Fixed(drift.Change{}, pipeline.Skipped, "a tunnel rule also requires a webserver with hosts.internal")
	return []Step{{Name: "Tunnel " + host, Run: skip, Plan: skip}}
}

// routes returns the hosts of the rules with which norn routes traffic to the app.
func (r *run) routes() []string {
	if r.live.tunnel == nil {
		return nil
	}
	return tunnel.OwnersOf(r.live.tunnel).Hosts(r.appKey(), "")
}

// removesRoute reports whether rules must be removed, or cloudflared restarted after an interrupted removal.
func (r *run) removesRoute() bool {
	if r.live.tunnel == nil || tunnel.Routed(r.spec) {
		return false
	}
	return len(r.routes()) > 0 || tunnel.Unfinished(r.live.tunnel, r.appKey())
}

// checkHostTaken returns an error if the tunnel routes the host elsewhere. It tries the edit on a copy.
func (r *run) checkHostTaken() error {
	if !tunnel.Routed(r.spec) || r.live.tunnel == nil {
		return nil
	}
	_, _, err := tunnel.Edit(
		r.live.tunnel.DeepCopy(), r.appKey(), tunnel.RuleFor(r.spec, r.options.Namespace), r.options.Adopt,
	)
	if errors.Is(err, tunnel.ErrNoConfig) {
		return nil
	}
	return err
}

// removeRoute removes the rules of an app that no longer has a public host.
func (r *run) removeRoute(ctx context.Context, out io.Writer) (drift.Change, pipeline.Result, error) {
	t := &cloudflared{cluster: r.cluster, out: out}
	result, err := t.change(ctx, r.appKey(), tunnel.Rule{})
	if err == nil && result.State == pipeline.Configured {
		result = pipeline.Result{State: pipeline.Deleted, Detail: "no longer in the infraspec; the DNS record remains"}
	}
	return drift.Change{}, result, err
}

// route returns a Func that routes the rule's host to the app.
func (r *run) route(rule tunnel.Rule) pipeline.Func[drift.Change] {
	return func(ctx context.Context, out io.Writer) (drift.Change, pipeline.Result, error) {
		t := &cloudflared{cluster: r.cluster, out: out, adopt: r.options.Adopt}
		result, err := t.change(ctx, r.appKey(), rule)
		if err == nil && result.State == pipeline.Configured {
			result.Detail = "leads to " + rule.Service
		}
		return drift.Change{}, result, err
	}
}

// planTunnel returns a Func that returns the change of cloudflared's configuration. For a rule without a host, the
// change removes the app's rules.
func (r *run) planTunnel(rule tunnel.Rule) pipeline.Func[drift.Change] {
	return func(_ context.Context, out io.Writer) (drift.Change, pipeline.Result, error) {
		planned := pipeline.Result{State: pipeline.Planned}
		if r.live.tunnelMissing != nil {
			warnUnrouted(out, rule, missingConfig(r.live.tunnelMissing))
		}
		if r.live.tunnel == nil {
			return drift.Change{}, planned, nil
		}
		before := r.live.tunnel.DeepCopy()
		maps.DeleteFunc(before.Data, func(key, _ string) bool { return key != tunnel.ConfigKey })
		after := before.DeepCopy()
		_, _, err := tunnel.Edit(after, r.appKey(), rule, r.options.Adopt)
		if missing := missingConfig(err); missing != "" {
			warnUnrouted(out, rule, missing)
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
