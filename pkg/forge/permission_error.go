package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"norn/pkg/forge/objects"
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
	return append(out, Permissions(ns, RouteGrants(objects.RouteKind(spec)))...)
}

// CheckForge returns a *PermissionError if a forge of spec would fail half-way for lack of permissions. watches is
// whether forge watches the Pods that it replaces.
func CheckForge(ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, ns string, watches bool) error {
	needs := forgeNeeds(spec, ns)
	if watches && slices.ContainsFunc(spec.Workloads(), func(w *infraspec.Spec) bool { return w.Role.Standing() }) {
		needs = append(needs, Permissions(ns, required(rolloutGrants()))...)
	}
	return CheckPermissions(ctx, cluster, needs)
}

// DeployNeeds returns the permissions without which a deploy of spec would fail half-way. withForge is whether the
// deploy also applies the app's objects.
func DeployNeeds(spec *infraspec.Spec, ns string, withForge bool) []k8s.Permission {
	needs := Permissions(ns, required(deployGrantsFor(spec)))
	if withForge {
		needs = append(needs, forgeNeeds(spec, ns)...)
	}
	return needs
}

// CheckRollout returns a *PermissionError if a restart or a rollback would fail half-way for lack of permissions.
func CheckRollout(ctx context.Context, cluster *k8s.Client, ns string) error {
	return CheckPermissions(ctx, cluster, Permissions(ns, required(append(rolloutGrants(), leases))))
}

// CheckPermissions returns a *PermissionError if the user lacks permissions. Without this check, a run would fail
// half-way.
func CheckPermissions(ctx context.Context, cluster *k8s.Client, needs []k8s.Permission) error {
	missing, err := cluster.Missing(ctx, needs)
	switch {
	case isAnonymous(err):
		return anonymousError(cluster, err)
	case err != nil || len(missing) == 0:
		return err
	}
	return &PermissionError{Missing: missing}
}

// ExplainDenial returns a *PermissionError for a denied request of a command: it lists all permissions that the command
// lacks in ns. If the request is not one of the command's grants, ExplainDenial returns denied.
func ExplainDenial(ctx context.Context, cluster *k8s.Client, denied error, command, ns string) error {
	if isAnonymous(denied) {
		return anonymousError(cluster, denied)
	}
	for _, c := range AllGrants() {
		if c.Name != command {
			continue
		}
		missing, err := cluster.Missing(ctx, Permissions(ns, required(c.Grants)))
		if err != nil || len(missing) == 0 {
			return denied //nolint:nilerr // the user learns what was denied
		}
		return &PermissionError{Missing: missing, Err: denied}
	}
	return denied
}

// PermissionError lists the permissions that the user lacks.
type PermissionError struct {
	Missing []k8s.Permission
	// Anonymous is why the API server does not know the user; Missing is then empty.
	Anonymous string
	Err       error // the denied request, or nil if norn has only asked
}

func (e *PermissionError) Unwrap() error { return e.Err }

// anonymous is the user of requests without credentials (kubernetes.io: Anonymous requests).
const anonymous = "system:anonymous"

func isAnonymous(err error) bool {
	denied, ok := errors.AsType[*k8s.DeniedError](err)
	return ok && denied.User == anonymous
}

func anonymousError(cluster *k8s.Client, err error) error {
	why := cmp.Or(cluster.NoCredentials, "the API server knows none of the credentials in the kubeconfig")
	return &PermissionError{Anonymous: why, Err: err}
}

// Error names the verb, resource and namespace of each permission.
func (e *PermissionError) Error() string {
	if e.Anonymous != "" {
		return "not logged in: the user is " + anonymous
	}
	lines := make([]string, 0, len(e.Missing))
	for _, p := range e.Missing {
		if line := "not allowed: " + p.String(); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// Hint returns how to get the permissions.
func (e *PermissionError) Hint() string {
	if e.Anonymous != "" {
		return e.Anonymous + "; log in, or use another context"
	}
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
