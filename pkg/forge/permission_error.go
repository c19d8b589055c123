package forge

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"norn/pkg/forge/tunnel"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// forgeNeeds returns the permissions that forge needs for spec.
func forgeNeeds(spec *infraspec.Spec, ns string) []k8s.Permission {
	out := Permissions(ns, forgeGrants(len(spec.Secrets) > 0))
	if tunnel.Routed(spec) {
		out = append(out, Permissions(tunnel.Namespace, TunnelGrants())...)
	}
	return out
}

// checkPermissions returns a *PermissionError if the user lacks permissions. Without this check, a run would fail
// half-way.
func checkPermissions(ctx context.Context, cluster *k8s.Client, needs []k8s.Permission) error {
	missing, err := cluster.Missing(ctx, needs)
	if err != nil || len(missing) == 0 {
		return err
	}
	return &PermissionError{missing}
}

// PermissionError lists the permissions that the user lacks. Nothing has been written.
type PermissionError struct{ Missing []k8s.Permission }

// Error names the verb, resource and namespace of each permission.
func (e *PermissionError) Error() string {
	lines := make([]string, 0, len(e.Missing))
	for _, p := range e.Missing {
		lines = append(lines, "not allowed: "+p.String())
	}
	return strings.Join(lines, "\n")
}

// Hint returns how to get the permissions.
func (e *PermissionError) Hint() string {
	return "ask the cluster's admin for the Role below (docs/rbac.md has the complete Role), or use another context"
}

// Detail returns the Roles that would grant the missing permissions as manifests, one per namespace.
func (e *PermissionError) Detail() string {
	var out strings.Builder
	var namespaces []string
	for _, p := range e.Missing {
		if !slices.Contains(namespaces, p.Namespace) {
			namespaces = append(namespaces, p.Namespace)
		}
	}
	for _, ns := range namespaces {
		fmt.Fprintf(
			&out, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: norn, namespace: %s}\nrules:\n",
			ns,
		)
		for _, rule := range e.grants(ns) {
			fmt.Fprintf(
				&out, "- {apiGroups: [%q], resources: [%s], verbs: [%s]}\n",
				rule.Group, rule.Resource, strings.Join(rule.Verbs, ", "),
			)
		}
	}
	return out.String()
}

// grants returns the missing verbs of each resource in a namespace.
func (e *PermissionError) grants(ns string) []Grant {
	var out []Grant
	for _, p := range e.Missing {
		if p.Namespace != ns {
			continue
		}
		i := slices.IndexFunc(out, func(r Grant) bool { return r.Group == p.Group && r.Resource == p.Resource })
		if i < 0 {
			out = append(out, Grant{Group: p.Group, Resource: p.Resource})
			i = len(out) - 1
		}
		if !slices.Contains(out[i].Verbs, p.Verb) {
			out[i].Verbs = append(out[i].Verbs, p.Verb)
		}
	}
	return out
}
