package forge

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// access is what may be done to one resource.
type access struct {
	group, resource string
	verbs           []string
}

// applied is what server-side apply needs: to make an object, and to change it.
var applied = []string{"get", "list", "create", "patch"}

// forgeNeeds are the permissions that a forge of spec will use. docs/rbac.md has the Role that grants them.
func forgeNeeds(spec *infraspec.Spec, ns string) []k8s.Permission {
	needs := []access{
		{"apps", "deployments", []string{"delete", "get", "create", "patch"}},
		{"batch", "cronjobs", []string{"delete", "get", "create", "patch"}},
		{"", "services", append([]string{"delete"}, applied...)},
		{"", "persistentvolumeclaims", applied},
		lease,
	}
	if len(spec.Secrets) > 0 {
		needs = append(needs, access{"", "secrets", []string{"get"}})
	}
	out := permissions(ns, needs)
	if routed(spec) {
		out = append(out, permissions(TunnelNamespace, tunnelNeeds)...)
	}
	return out
}

// teardownNeeds are the permissions that a teardown will use.
func teardownNeeds(ns string, deleteData bool) []k8s.Permission {
	gone := []string{"get", "list", "delete"}
	needs := []access{
		{"apps", "deployments", append([]string{"watch"}, gone...)}, {"batch", "cronjobs", gone}, {"batch", "jobs", []string{"list", "delete"}}, {"", "podtemplates", []string{"list", "delete"}},
		{"", "services", gone}, {"", "secrets", []string{"get", "delete"}},
		{"", "persistentvolumeclaims", []string{"list"}}, {"apps", "replicasets", []string{"list", "watch"}}, {"", "pods", []string{"list", "watch"}}, lease,
	}
	if deleteData {
		needs = append(needs, access{"", "persistentvolumeclaims", []string{"delete", "watch"}})
	}
	return permissions(ns, needs)
}

var (
	lease       = access{"coordination.k8s.io", "leases", []string{"get", "create", "update", "delete"}}
	tunnelNeeds = []access{{"", "configmaps", []string{"get", "update"}}, {"apps", "deployments", []string{"get", "list", "watch", "patch"}}}
)

func permissions(ns string, needs []access) []k8s.Permission {
	var out []k8s.Permission
	for _, n := range needs {
		for _, verb := range n.verbs {
			out = append(out, k8s.Permission{Namespace: ns, Group: n.group, Resource: n.resource, Verb: verb})
		}
	}
	return out
}

// permitted refuses, before the first write, a run that would be refused half-way.
func permitted(ctx context.Context, cluster guard, needs []k8s.Permission) error {
	missing, err := cluster.Missing(ctx, needs)
	if err != nil || len(missing) == 0 {
		return err
	}
	return &PermissionError{missing}
}

// PermissionError says what the user may not do and would have to. Nothing was written.
type PermissionError struct{ Missing []k8s.Permission }

// Error names verb, resource and namespace of each.
func (e *PermissionError) Error() string {
	lines := make([]string, 0, len(e.Missing))
	for _, p := range e.Missing {
		lines = append(lines, "not allowed: "+p.String())
	}
	return strings.Join(lines, "\n")
}

// Hint says what to do about it.
func (e *PermissionError) Hint() string {
	return "ask the cluster's admin for the Role below (docs/rbac.md has the whole one), or use another context"
}

// Detail is the Role that would grant what is missing, one for each namespace, as manifests.
func (e *PermissionError) Detail() string {
	var out strings.Builder
	var namespaces []string
	for _, p := range e.Missing {
		if !slices.Contains(namespaces, p.Namespace) {
			namespaces = append(namespaces, p.Namespace)
		}
	}
	for _, ns := range namespaces {
		fmt.Fprintf(&out, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: norn, namespace: %s}\nrules:\n", ns)
		for _, rule := range e.rules(ns) {
			fmt.Fprintf(&out, "- {apiGroups: [%q], resources: [%s], verbs: [%s]}\n", rule.group, rule.resource, strings.Join(rule.verbs, ", "))
		}
	}
	return out.String()
}

// rules gathers the missing verbs of each resource.
func (e *PermissionError) rules(ns string) []access {
	var out []access
	for _, p := range e.Missing {
		if p.Namespace != ns {
			continue
		}
		i := slices.IndexFunc(out, func(a access) bool { return a.group == p.Group && a.resource == p.Resource })
		if i < 0 {
			out = append(out, access{group: p.Group, resource: p.Resource})
			i = len(out) - 1
		}
		if !slices.Contains(out[i].verbs, p.Verb) {
			out[i].verbs = append(out[i].verbs, p.Verb)
		}
	}
	return out
}
