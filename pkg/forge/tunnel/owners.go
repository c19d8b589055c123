package tunnel

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s/metadata"
)

// Owners maps the host of each rule that norn wrote to the key of its app; see AppKey.
type Owners map[string]string

// OwnersOf returns the owners that a ConfigMap notes.
func OwnersOf(m *corev1.ConfigMap) Owners {
	o := Owners{}
	_ = json.Unmarshal([]byte(m.Annotations[metadata.RulesAnnotation]), &o) // anything else is no note
	return o
}

// Annotate notes the owners in a ConfigMap.
func (o Owners) Annotate(m *corev1.ConfigMap) error {
	if len(o) == 0 {
		delete(m.Annotations, metadata.RulesAnnotation)
		return nil
	}
	text, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("note whose the tunnel's rules are: %w", err)
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

// Hosts returns the hosts of an app's rules, sorted, without the host except.
func (o Owners) Hosts(app, except string) []string {
	var out []string
	for host, owner := range o {
		if owner == app && host != except {
			out = append(out, host)
		}
	}
	slices.Sort(out)
	return out
}

// Edit makes rule the only rule of app in a tunnel's configuration; a Rule without a host removes all rules of app. It
// returns the hosts whose rules it removed, and the host pattern of an earlier rule that shadows this one, or "".
func Edit(m *corev1.ConfigMap, app string, rule Rule, adopt bool) (gone []string, shadow string, err error) {
	own := OwnersOf(m)
	text := m.Data[ConfigKey]
	gone = own.Hosts(app, rule.Host)
	for _, host := range gone {
		in, err := parseIngress(text)
		if err != nil {
			return nil, "", err
		}
		if text, err = in.removeRule(host); err != nil {
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
			return nil, "", &objects.ConflictError{Kind: "tunnel rule", Namespace: Namespace, Name: rule.Host, App: app, Found: "it leads to " + in.rules[at].service, Final: own[rule.Host] != ""}
		}
		if at < 0 {
			at = in.end()
		}
		shadow = in.shadow(rule.Host, at)
		if text, err = in.insertRule(rule); err != nil {
			return nil, "", err
		}
		own[rule.Host] = app
	}
	if m.Data[ConfigKey] != text {
		m.Data[ConfigKey] = text
		MarkPending(m, app)
	}
	return gone, shadow, own.Annotate(m)
}

// AppKey returns the key of an app in Owners. It names the namespace, since all namespaces share a tunnel.
func AppKey(ns, app string) string { return ns + "/" + app }
