package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"norn/pkg/forge"
	"norn/pkg/forge/tunnel"
	"norn/pkg/k8s"
)

// permissions asks for every verb that norn uses in the app's namespace, and for the tunnel's where the app has a public host.
func (e *examination) permissions(ctx context.Context) Verdict {
	ns := e.Config.Namespace
	commands := forge.AllGrants()
	var asked []k8s.Permission
	for _, c := range commands {
		asked = append(asked, forge.Permissions(ns, c.Grants)...)
	}
	if e.spec != nil && tunnel.Routed(e.spec) {
		asked = append(asked, forge.Permissions(tunnel.Namespace, forge.TunnelGrants())...)
	}
	asked = unique(asked)
	missing, err := e.client.Denied(ctx, asked)
	if err != nil {
		return problem(hintOf(err), "%s", err)
	}
	return judgeAccess(commands, ns, len(asked), missing)
}

func unique(list []k8s.Permission) []k8s.Permission {
	seen := map[k8s.Permission]bool{}
	return slices.DeleteFunc(list, func(p k8s.Permission) bool {
		twice := seen[p]
		seen[p] = true
		return twice
	})
}

// judgeAccess tells by command what is missing of the asked permissions. What a command can do without is only a warning.
func judgeAccess(commands []forge.CommandGrants, ns string, asked int, missing []k8s.Permission) Verdict {
	if len(missing) == 0 {
		return ok("all %d that norn uses in namespace %s are granted", asked, ns)
	}
	const hint = "ask the cluster's admin for the Role in docs/rbac.md, or use another context"
	if len(missing) == asked {
		return problem(hint+"; check the namespace's name, too", "none of the %d that norn uses in namespace %s is granted", asked, ns)
	}
	v := warning(hint, "%d of %d that norn uses in namespace %s are not granted", len(missing), asked, ns)
	var needs, lacks shared
	for _, c := range commands {
		var needed []string
		for _, r := range c.Grants {
			switch verbs := verbsIn(missing, ns, r); {
			case len(verbs) == 0:
			case r.Without == "":
				needed = append(needed, spoken(verbs, r))
			default:
				lacks.add(c.Name, fmt.Sprintf("without %s: %s", spoken(verbs, r), r.Without))
			}
		}
		if len(needed) > 0 {
			needs.add(c.Name, "cannot do without "+strings.Join(needed, "; "))
		}
	}
	if len(needs.lines) > 0 {
		v.State = Problem
	}
	v.More = append(needs.said(), lacks.said()...)
	if tunnel := tunnelLacks(missing, ns); tunnel != "" {
		v.State = Problem
		v.More = append(v.More, tunnel)
	}
	return v
}

// tunnelLacks says what the rule of an app with a public host lacks, or "".
func tunnelLacks(missing []k8s.Permission, ns string) string {
	if ns == tunnel.Namespace { // among the app's
		return ""
	}
	var lacks []string
	for _, r := range forge.TunnelGrants() {
		if verbs := verbsIn(missing, tunnel.Namespace, r); len(verbs) > 0 {
			lacks = append(lacks, spoken(verbs, r))
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return fmt.Sprintf("the app's public host cannot do without %s, in namespace %s", strings.Join(lacks, "; "), tunnel.Namespace)
}

// shared are lines that are the same for several commands.
type shared struct{ lines, names []string }

func (s *shared) add(name, line string) {
	if i := slices.Index(s.lines, line); i >= 0 {
		s.names[i] += ", " + name
		return
	}
	s.lines, s.names = append(s.lines, line), append(s.names, name)
}

func (s *shared) said() []string {
	out := make([]string, len(s.lines))
	for i, line := range s.lines {
		out[i] = s.names[i] + " " + line
	}
	return out
}

// verbsIn are those of a rule's verbs that are missing.
func verbsIn(missing []k8s.Permission, ns string, r forge.Grant) []string {
	var out []string
	for _, verb := range r.Verbs {
		if slices.Contains(missing, k8s.Permission{Namespace: ns, Group: r.Group, Resource: r.Resource, Verb: verb}) {
			out = append(out, verb)
		}
	}
	return out
}

func spoken(verbs []string, r forge.Grant) string {
	resource := r.Resource
	if r.Group != "" {
		resource += "." + r.Group
	}
	return strings.Join(verbs, ", ") + " on " + resource
}
