package tunnel

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s/metadata"
)

// Owners maps the host of each rule that norn wrote to the key of its app; see AppKey.
type Owners map[string]string

// OwnersOf returns the owners recorded in a ConfigMap. It ignores an annotation that is not valid JSON.
func OwnersOf(m *corev1.ConfigMap) Owners {
	o := Owners{}
	_ = json.Unmarshal([]byte(m.Annotations[metadata.RulesAnnotation]), &o)
	return o
}

// Annotate records the owners in a ConfigMap.
func (o Owners) Annotate(m *corev1.ConfigMap) error {
	if len(o) == 0 {
		delete(m.Annotations, metadata.RulesAnnotation)
		return nil
	}
	text, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("record the owners of the tunnel's rules: %w", err)
	}
	annotate(m, metadata.RulesAnnotation, string(text))
	return nil
}

func annotate(m *corev1.ConfigMap, name, value string) {
	if m.Annotations == nil {
		m.Annotations = map[string]string{}
	}
	m.Annotations[name] = value
}

// Hosts returns the sorted hosts of an app's rules, without those of the rules except.
func (o Owners) Hosts(app string, except ...Rule) []string {
	var out []string
	for host, owner := range o {
		if owner == app && !slices.ContainsFunc(except, func(r Rule) bool { return r.Host == host }) {
			out = append(out, host)
		}
	}
	slices.Sort(out)
	return out
}

// ErrNoConfig reports that the ConfigMap has no configuration.
var ErrNoConfig = errors.New("no configuration")

// Shadow says that an earlier rule, whose host pattern also matches a host, takes its requests.
type Shadow struct{ Host, Pattern string }

// Edit makes rules the only rules of app in a tunnel's configuration. It returns the hosts of removed rules, and the
// earlier rules that shadow the new ones. If a host already routes elsewhere, Edit returns an *objects.ConflictError;
// adopt lets it replace a rule that no app owns, if that rule has a service. A configuration that Edit cannot change
// without changing anything else is a *ConfigError. A correct rule that no app owns stays without an owner, unless
// adopt makes it the app's. Without a configuration, the error is ErrNoConfig. An error changes nothing.
func Edit(m *corev1.ConfigMap, app string, rules []Rule, adopt bool) (removed []string, shadows []Shadow, err error) {
	text, exists := m.Data[ConfigKey]
	if !exists {
		return nil, nil, ErrNoConfig
	}
	owners := OwnersOf(m)
	removed = owners.Hosts(app, rules...)
	for _, host := range removed {
		in, err := parseIngress(text)
		if err != nil {
			return nil, nil, err
		}
		if text, err = in.removeRule(host); err != nil {
			return nil, nil, err
		}
		delete(owners, host)
	}
	for _, rule := range rules {
		after, shadow, err := owners.set(text, app, rule, adopt)
		if err != nil {
			return nil, nil, err
		}
		text = after
		if shadow != "" {
			shadows = append(shadows, Shadow{rule.Host, shadow})
		}
	}
	if m.Data[ConfigKey] != text {
		m.Data[ConfigKey] = text
		MarkPending(m, app)
	}
	return removed, shadows, owners.Annotate(m)
}

// set returns a configuration with the rule of an app, and records the owner. shadow is the host pattern of an earlier
// rule that shadows this one, or "".
func (o Owners) set(text, app string, rule Rule, adopt bool) (after, shadow string, err error) {
	in, err := parseIngress(text)
	if err != nil {
		return "", "", err
	}
	at, owner := in.find(rule.Host), o[rule.Host]
	if at >= 0 && in.rules[at].service != rule.Service {
		if err := in.rules[at].checkEditable(rule.Host, app, owner, adopt); err != nil {
			return "", "", err
		}
	}
	wrote := at < 0 || in.rules[at].service != rule.Service
	if at < 0 {
		at = in.insertIndex(rule.Host)
	}
	shadow = in.shadow(rule.Host, at)
	if after, err = in.insertRule(rule); err != nil {
		return "", "", err
	}
	if wrote || adopt || owner == app {
		o[rule.Host] = app
	}
	return after, shadow, nil
}

// checkEditable returns an error unless app may change the service of a rule for host that belongs to the app owner, or
// to none.
func (r ingressRule) checkEditable(host, app, owner string, adopt bool) error {
	found := "it leads to " + r.service
	if r.service == "" {
		found = "it has no service"
	}
	incomplete := r.service == "" && r.target == nil
	switch {
	case owner != app && (owner != "" || !adopt || incomplete):
		return &objects.ConflictError{
			Kind: "tunnel rule", Namespace: Namespace, Name: host, App: app, Found: found, Final: owner != "" || incomplete,
		}
	case incomplete:
		return &ConfigError{fmt.Sprintf("line %d: the rule for %s has no service; add one", r.first+1, host)}
	}
	return nil
}

// AppKey returns the key of an app in Owners. It includes the namespace because all namespaces share one tunnel.
func AppKey(ns, app string) string { return ns + "/" + app }
