package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// permissions checks every permission that norn uses in the app's namespace and, for an app with a public host, the
// tunnel's or those of its route.
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
	if e.spec != nil {
		asked = append(asked, forge.Permissions(ns, forge.RouteGrants(objects.RouteKind(e.spec)))...)
	}
	asked = unique(asked)
	missing, err := e.client.Denied(ctx, asked)
	if err != nil {
		return problem(pipeline.HintOf(err), "%s", err)
	}
	return judgeAccess(commands, ns, len(asked), missing)
}

func unique(list []k8s.Permission) []k8s.Permission {
	seen := map[k8s.Permission]bool{}
	return slices.DeleteFunc(list, func(p k8s.Permission) bool {
		again := seen[p]
		seen[p] = true
		return again
	})
}

// judgeAccess lists the missing permissions by command. A permission that no command requires is only a warning.
func judgeAccess(commands []forge.CommandGrants, ns string, asked int, missing []k8s.Permission) Verdict {
	if len(missing) == 0 {
		return ok("all %d permissions that norn uses in namespace %s are granted", asked, ns)
	}
	const hint = "ask the cluster's admin for the Role in docs/rbac.md, or use another context"
	if len(missing) == asked {
		return problem(hint+"; also check the namespace's name",
			"none of the %d permissions that norn uses in namespace %s is granted", asked, ns)
	}
	are := "are"
	if len(missing) == 1 {
		are = "is"
	}
	v := warning(hint, "%d of the %d permissions that norn uses in namespace %s %s not granted",
		len(missing), asked, ns, are)
	var needs, lacks shared
	for _, c := range commands {
		var needed []string
		for _, r := range c.Grants {
			switch verbs := verbsIn(missing, ns, r); {
			case len(verbs) == 0:
			case r.Without == "":
				needed = append(needed, verbsOn(verbs, r))
			default:
				lacks.add(c.Name, fmt.Sprintf("without %s, %s", verbsOn(verbs, r), r.Without))
			}
		}
		if len(needed) > 0 {
			needs.add(c.Name, "missing "+strings.Join(needed, "; "))
		}
	}
	if len(needs.lines) > 0 {
		v.State = Problem
	}
	v.More = append(needs.text(), lacks.text()...)
	for _, kind := range []string{objects.KindIngress, objects.KindHTTPRoute} {
		for _, r := range forge.RouteGrants(kind) {
			if verbs := verbsIn(missing, ns, r); len(verbs) > 0 {
				v.State = Problem
				v.More = append(v.More, "route: missing "+verbsOn(verbs, r))
			}
		}
	}
	if tunnel := tunnelLacks(missing, ns); tunnel != "" {
		v.State = Problem
		v.More = append(v.More, tunnel)
	}
	return v
}

// tunnelLacks returns the missing permissions for the tunnel's rule, or "".
func tunnelLacks(missing []k8s.Permission, ns string) string {
	if ns == tunnel.Namespace { // the app's permissions include them
		return ""
	}
	var lacks []string
	for _, r := range forge.TunnelGrants() {
		if verbs := verbsIn(missing, tunnel.Namespace, r); len(verbs) > 0 {
			lacks = append(lacks, verbsOn(verbs, r))
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return fmt.Sprintf("public host: missing %s in namespace %s", strings.Join(lacks, "; "), tunnel.Namespace)
}

// shared groups equal lines with the names of their commands.
type shared struct{ lines, names []string }

func (s *shared) add(name, line string) {
	if i := slices.Index(s.lines, line); i >= 0 {
		s.names[i] += ", " + name
		return
	}
	s.lines, s.names = append(s.lines, line), append(s.names, name)
}

// text returns each line with the names of its commands in front.
func (s *shared) text() []string {
	out := make([]string, len(s.lines))
	for i, line := range s.lines {
		out[i] = s.names[i] + ": " + line
	}
	return out
}

// verbsIn returns the missing verbs of a rule.
func verbsIn(missing []k8s.Permission, ns string, r forge.Grant) []string {
	var out []string
	for _, verb := range r.Verbs {
		if slices.Contains(missing, k8s.Permission{Namespace: ns, Group: r.Group, Resource: r.Resource, Verb: verb}) {
			out = append(out, verb)
		}
	}
	return out
}

// verbsOn returns verbs and their resource for messages, such as "get, list on deployments.apps".
func verbsOn(verbs []string, r forge.Grant) string {
	resource := r.Resource
	if r.Group != "" {
		resource += "." + r.Group
	}
	return strings.Join(verbs, ", ") + " on " + resource
}
