package forge

import (
	"context"
	"io"
	"maps"
	"strings"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/pipeline"
)

// tunnelSteps route the external host to the app, or take away rules that the infraspec no longer asks for.
func (r *run) tunnelSteps() []pipeline.Step {
	switch {
	case tunnel.Routed(r.spec):
	case r.removesRoute():
		return []pipeline.Step{{Name: strings.TrimSpace("Tunnel " + strings.Join(r.routes(), " ")), Run: r.unroute}}
	case r.spec.Hosts.External == "":
		return nil
	default:
		return []pipeline.Step{{Name: "Tunnel " + r.spec.Hosts.External, Run: func(context.Context, io.Writer) (pipeline.Result, error) {
			return pipeline.Result{State: pipeline.Skipped, Detail: "a rule needs a webserver with hosts.internal too"}, nil
		}}}
	}
	return []pipeline.Step{
		{Name: "Tunnel " + r.spec.Hosts.External, Run: r.tunnel},
		{Name: "DNS " + r.spec.Hosts.External, Run: r.dns},
	}
}

// routes are the hosts that the tunnel routes to the app by rules that norn has written.
func (r *run) routes() []string {
	if r.live.tunnel == nil {
		return nil
	}
	return tunnel.OwnersOf(r.live.tunnel).Hosts(tunnel.AppKey(r.options.Namespace, r.spec.App), "")
}

// removesRoute reports whether there are rules to take away, or a restart after that to make up for.
func (r *run) removesRoute() bool {
	return r.live.tunnel != nil && !tunnel.Routed(r.spec) && (len(r.routes()) > 0 || tunnel.Unfinished(r.live.tunnel, tunnel.AppKey(r.options.Namespace, r.spec.App)))
}

// checkHostTaken refuses a host that the tunnel routes elsewhere, by an edit for show.
func (r *run) checkHostTaken() error {
	if !tunnel.Routed(r.spec) || r.live.tunnel == nil {
		return nil
	}
	_, _, err := tunnel.Edit(r.live.tunnel.DeepCopy(), tunnel.AppKey(r.options.Namespace, r.spec.App), tunnel.RuleFor(r.spec, r.options.Namespace), r.options.Adopt)
	return err
}

// unroute takes away the rules of an app that has no public host any more.
func (r *run) unroute(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	t := &cloudflared{cluster: r.cluster, out: out}
	result, err := t.change(ctx, tunnel.AppKey(r.options.Namespace, r.spec.App), tunnel.Rule{})
	if err == nil && result.State == pipeline.Configured {
		result = pipeline.Result{State: pipeline.Deleted, Detail: "no longer in the infraspec; the DNS record stays"}
	}
	return result, err
}

func (r *run) tunnel(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	rule, app := tunnel.RuleFor(r.spec, r.options.Namespace), tunnel.AppKey(r.options.Namespace, r.spec.App)
	t := &cloudflared{cluster: r.cluster, out: out, adopt: r.options.Adopt}
	result, err := t.change(ctx, app, rule)
	if err == nil && result.State == pipeline.Configured {
		result.Detail = "leads to " + rule.Service
	}
	return result, err
}

// planTunnel adds what a forge would change in the tunnel's configuration.
func (r *run) planTunnel() error {
	rule := tunnel.Rule{}
	if tunnel.Routed(r.spec) {
		rule = tunnel.RuleFor(r.spec, r.options.Namespace)
	}
	if r.live.tunnel == nil || rule.Host == "" && !r.removesRoute() {
		return nil
	}
	before := r.live.tunnel.DeepCopy()
	maps.DeleteFunc(before.Data, func(key, _ string) bool { return key != tunnel.ConfigKey }) // the rest is nobody's business
	after := before.DeepCopy()
	if _, _, err := tunnel.Edit(after, tunnel.AppKey(r.options.Namespace, r.spec.App), rule, r.options.Adopt); err != nil {
		return err
	}
	if drift.Diff(before, after) != "" {
		r.changes = append(r.changes, drift.Change{Kind: objects.KindConfigMap, Name: tunnel.ConfigMap, State: pipeline.Configured, Before: before, After: after})
	}
	return nil
}
