package forge

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"norn/internal/command"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// Where cloudflared's configuration is kept.
const (
	TunnelNamespace = "cloudflared"
	TunnelConfigMap = "cloudflared"
	TunnelConfigKey = "config.yaml"
	tunnelServer    = "cloudflared" // its Deployment
)

// rulesAnnotation on the ConfigMap notes whose each of norn's rules is: a JSON object of host to namespace/app.
const rulesAnnotation = "norn/rules"

// Routed reports whether forge gives an app a tunnel rule: that takes a webserver with both hosts.
func Routed(spec *infraspec.Spec) bool {
	return spec.Role == infraspec.Webserver && spec.Hosts.External != "" && spec.Hosts.Internal != ""
}

// ruleOf is an app's rule.
func ruleOf(spec *infraspec.Spec, ns string) Rule {
	return Rule{Host: spec.Hosts.External, Service: fmt.Sprintf("http://%s.%s.svc.cluster.local:80", spec.Hosts.Internal, ns)}
}

// TunnelRoute is the service that the text of a tunnel's configuration routes host to, or "" where it has no rule for it.
func TunnelRoute(text, host string) (string, error) {
	in, err := parseIngress(text)
	if err != nil {
		return "", err
	}
	if i := in.find(host); i >= 0 {
		return in.rules[i].service, nil
	}
	return "", nil
}

// owners are whose the rules are that norn has written.
type owners map[string]string

func ownersOf(m *corev1.ConfigMap) owners {
	o := owners{}
	_ = json.Unmarshal([]byte(m.Annotations[rulesAnnotation]), &o) // what is no such note is none
	return o
}

func (o owners) into(m *corev1.ConfigMap) error {
	if len(o) == 0 {
		delete(m.Annotations, rulesAnnotation)
		return nil
	}
	text, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("note whose the tunnel's rules are: %w", err)
	}
	annotate(m, rulesAnnotation, string(text))
	return nil
}

func annotate(m *corev1.ConfigMap, name, value string) {
	if m.Annotations == nil {
		m.Annotations = map[string]string{}
	}
	m.Annotations[name] = value
}

// hosts are the hosts of an app's rules, except for one.
func (o owners) hosts(app, except string) []string {
	var out []string
	for host, owner := range o {
		if owner == app && host != except {
			out = append(out, host)
		}
	}
	slices.Sort(out)
	return out
}

// editTunnel brings a tunnel's configuration to rule, the only one of app; a Rule without a host takes all of app's rules away.
// It reports the rules that are gone, and the rule ahead that takes what is meant for this one, if there is one.
func editTunnel(m *corev1.ConfigMap, app string, rule Rule, adopt bool) (gone []string, shadow string, err error) {
	own := ownersOf(m)
	text := m.Data[TunnelConfigKey]
	gone = own.hosts(app, rule.Host)
	for _, host := range gone {
		in, err := parseIngress(text)
		if err != nil {
			return nil, "", err
		}
		if text, err = in.without(host); err != nil {
			return nil, "", err
		}
		delete(own, host)
	}
	if rule.Host != "" {
		in, err := parseIngress(text)
		if err != nil {
			return nil, "", err
		}
		at := in.find(rule.Host)
		if at >= 0 && in.rules[at].service != rule.Service && own[rule.Host] != app && (!adopt || own[rule.Host] != "") {
			return nil, "", &ConflictError{Kind: "tunnel rule", Namespace: TunnelNamespace, Name: rule.Host, App: app, Found: "it leads to " + in.rules[at].service, Final: own[rule.Host] != ""}
		}
		if at < 0 {
			at = in.end()
		}
		shadow = in.shadow(rule.Host, at)
		if text, err = in.with(rule); err != nil {
			return nil, "", err
		}
		own[rule.Host] = app
	}
	if m.Data[TunnelConfigKey] != text {
		m.Data[TunnelConfigKey] = text
		annotate(m, pendingAnnotation, pending(app, text))
	}
	return gone, shadow, own.into(m)
}

// appKey is how an app is noted as the owner of rules, which are shared by all namespaces.
func appKey(ns, app string) string { return ns + "/" + app }

// tunnelSteps route the external host to the app, or take away rules that the infraspec no longer asks for.
func (r *run) tunnelSteps() []pipeline.Step {
	switch {
	case Routed(r.spec):
	case r.unroutes():
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
	return ownersOf(r.live.tunnel).hosts(appKey(r.options.Namespace, r.spec.App), "")
}

// unroutes reports whether there are rules to take away, or a restart after that to make up for.
func (r *run) unroutes() bool {
	return r.live.tunnel != nil && !Routed(r.spec) && (len(r.routes()) > 0 || unfinished(r.live.tunnel, appKey(r.options.Namespace, r.spec.App)))
}

// rerouted refuses a host that the tunnel routes elsewhere, by an edit for show.
func (r *run) rerouted() error {
	if !Routed(r.spec) || r.live.tunnel == nil {
		return nil
	}
	_, _, err := editTunnel(r.live.tunnel.DeepCopy(), appKey(r.options.Namespace, r.spec.App), ruleOf(r.spec, r.options.Namespace), r.options.Adopt)
	return err
}

// unroute takes away the rules of an app that has no public host any more.
func (r *run) unroute(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	t := &tunnel{cluster: r.cluster, out: out}
	result, err := t.change(ctx, appKey(r.options.Namespace, r.spec.App), Rule{})
	if err == nil && result.State == pipeline.Configured {
		result = pipeline.Result{State: pipeline.Deleted, Detail: "no longer in the infraspec; the DNS record stays"}
	}
	return result, err
}

func (r *run) tunnel(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	rule, app := ruleOf(r.spec, r.options.Namespace), appKey(r.options.Namespace, r.spec.App)
	t := &tunnel{cluster: r.cluster, out: out, adopt: r.options.Adopt}
	result, err := t.change(ctx, app, rule)
	if err == nil && result.State == pipeline.Configured {
		result.Detail = "leads to " + rule.Service
	}
	return result, err
}

// planTunnel adds what a forge would change in the tunnel's configuration.
func (r *run) planTunnel() error {
	rule := Rule{}
	if Routed(r.spec) {
		rule = ruleOf(r.spec, r.options.Namespace)
	}
	if r.live.tunnel == nil || rule.Host == "" && !r.unroutes() {
		return nil
	}
	before := r.live.tunnel.DeepCopy()
	maps.DeleteFunc(before.Data, func(key, _ string) bool { return key != TunnelConfigKey }) // the rest is nobody's business
	after := before.DeepCopy()
	if _, _, err := editTunnel(after, appKey(r.options.Namespace, r.spec.App), rule, r.options.Adopt); err != nil {
		return err
	}
	if diffText(before, after) != "" {
		r.changes = append(r.changes, Change{Kind: kindConfigMap, Name: TunnelConfigMap, State: pipeline.Configured, Before: before, After: after})
	}
	return nil
}

// RouteError says that the cloudflared command did not make a DNS record.
type RouteError struct {
	Host, Tunnel, Said string
	Err                error
}

// Error names the host and the tunnel, and quotes what the command said last.
func (e *RouteError) Error() string {
	return fmt.Sprintf("route the DNS name %s to tunnel %s: %v: %s", e.Host, e.Tunnel, e.Err, e.Said)
}

// Hint is where to look.
func (e *RouteError) Hint() string {
	return fmt.Sprintf("log in to the zone of the host with cloudflared tunnel login, or make the record by hand (cloudflared tunnel route dns %s %s); then run the same command again", e.Tunnel, e.Host)
}

func (e *RouteError) Unwrap() error { return e.Err }

// dns makes the host's DNS record by the cloudflared command, where that is installed.
func (r *run) dns(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	host := r.spec.Hosts.External
	if !command.Installed("cloudflared") {
		return pipeline.Result{State: pipeline.Skipped, Detail: "the cloudflared command is not installed; route the host's DNS to the tunnel yourself"}, nil
	}
	var said strings.Builder
	err := command.Run(ctx, "", io.MultiWriter(out, &said), "cloudflared", "tunnel", "route", "dns", r.options.Tunnel, host)
	switch {
	case err == nil:
		return pipeline.Result{State: pipeline.Done, Detail: "leads to tunnel " + r.options.Tunnel}, nil
	case strings.Contains(said.String(), "already exists"):
		return pipeline.Result{State: pipeline.Unchanged}, nil
	default:
		return pipeline.Result{}, &RouteError{host, r.options.Tunnel, command.LastLine(said.String()), err}
	}
}
