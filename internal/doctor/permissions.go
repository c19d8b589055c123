package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"norn/internal/access"
	"norn/pkg/forge"
	"norn/pkg/k8s"
)

// permissions asks for every verb that norn uses in the app's namespace, and for the tunnel's where the app has a public host.
func (e *examination) permissions(ctx context.Context) Verdict {
	ns := e.Config.Namespace
	commands := access.Commands()
	var asked []k8s.Permission
	for _, c := range commands {
		asked = append(asked, access.Permissions(ns, c.Rules)...)
	}
	if e.spec != nil && forge.Routed(e.spec) {
		asked = append(asked, access.Permissions(forge.TunnelNamespace, access.Tunnel())...)
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
func judgeAccess(commands []access.Command, ns string, asked int, missing []k8s.Permission) Verdict {
	if len(missing) == 0 {
		return ok("all %d that norn uses in namespace %s are granted", asked, ns)
	}
	const hint = "ask the cluster's admin for the Role in docs/rbac.md, or use another context"
	if len(missing) == asked {
		return problem(hint+"; check the namespace's name, too", "none of the %d that norn uses in namespace %s is granted", asked, ns)
	}
	v := warning(hint, "%d of %d that norn uses in namespace %s are not granted", len(missing), asked, ns)
	var lost []string
	for _, c := range commands {
		var needed []string
		for _, r := range c.Rules {
			verbs := verbsIn(missing, ns, r)
			switch {
			case len(verbs) == 0:
			case r.Without == "":
				needed = append(needed, spoken(verbs, r))
			default:
				lost = append(lost, fmt.Sprintf("%s without %s: %s", c.Name, spoken(verbs, r), r.Without))
			}
		}
		if len(needed) > 0 {
			v.State = Problem
			v.More = append(v.More, fmt.Sprintf("%s needs %s", c.Name, strings.Join(needed, "; ")))
		}
	}
	v.More = append(v.More, lost...)
	var tunnel []string
	for _, r := range access.Tunnel() {
		if verbs := verbsIn(missing, forge.TunnelNamespace, r); ns != forge.TunnelNamespace && len(verbs) > 0 {
			tunnel = append(tunnel, spoken(verbs, r))
		}
	}
	if len(tunnel) > 0 {
		v.State = Problem
		v.More = append(v.More, fmt.Sprintf("the app's public host needs %s, in namespace %s", strings.Join(tunnel, "; "), forge.TunnelNamespace))
	}
	return v
}

// verbsIn are those of a rule's verbs that are missing.
func verbsIn(missing []k8s.Permission, ns string, r access.Rule) []string {
	var out []string
	for _, verb := range r.Verbs {
		if slices.Contains(missing, k8s.Permission{Namespace: ns, Group: r.Group, Resource: r.Resource, Verb: verb}) {
			out = append(out, verb)
		}
	}
	return out
}

func spoken(verbs []string, r access.Rule) string {
	resource := r.Resource
	if r.Group != "" {
		resource += "." + r.Group
	}
	return strings.Join(verbs, ", ") + " on " + resource
}
