package forge

import (
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// This file is the only list of the permissions that norn uses, by command. Commands that write check theirs before
// the first write, norn doctor checks all, and docs/rbac.md has the Roles that grant them.

// Grant permits verbs on one kind of object.
type Grant struct {
	Group, Resource string
	Verbs           []string
	// Without is what the command cannot do if the grant is missing; if "", the command fails.
	Without string
}

// CommandGrants are the grants that a command of norn uses.
type CommandGrants struct {
	Name   string
	Grants []Grant
}

// AllGrants returns the grants of every command that uses a cluster, in the order of docs/rbac.md.
func AllGrants() []CommandGrants {
	return []CommandGrants{
		{"forge", append(append(forgeGrants(true), quotas...), autoscalers)},
		{"deploy", deployGrants()},
		{"restart", append(rolloutGrants(), leases, readSecret)},
		{"rollback", append(rolloutGrants(), leases, readSecret)},
		{"logs", logGrants()},
		{"status", statusGrants()},
		{
			"history",
			[]Grant{
				{Group: apps, Resource: "deployments", Verbs: []string{"get"}},
				{Group: batch, Resource: "cronjobs", Verbs: []string{"get"}},
				{Group: apps, Resource: "replicasets", Verbs: []string{"list"}},
			},
		},
		{"diff", diffGrants()},
		{"snapshots restore", []Grant{{Group: apps, Resource: "deployments", Verbs: []string{"get"}}, leases}},
		{
			"secrets list",
			[]Grant{{Resource: "secrets", Verbs: []string{"get"}, Without: "norn cannot tell which secrets are in the cluster"}},
		},
		{"run", jobGrants()},
		{"invoke", jobGrants()},
		{"teardown", teardownGrants(false)},
		{"teardown --delete-data", []Grant{deleteClaims}},
	}
}

const (
	apps  = "apps"
	batch = "batch"
)

// applyVerbs returns the verbs with which server-side apply creates and changes an object. Each call returns a new
// slice, since the Verbs of a Grant leave the package.
func applyVerbs() []string { return []string{"get", "list", "create", "patch"} }

var (
	leases = Grant{Group: "coordination.k8s.io", Resource: "leases", Verbs: []string{"get", "create", "update", "delete"}}
	quotas = []Grant{
		{Resource: "resourcequotas", Verbs: []string{"list"}, Without: "norn cannot check quotas in advance"},
		{Resource: "limitranges", Verbs: []string{"list"}, Without: "norn cannot check limits in advance"},
	}
	// autoscalers allows norn to check whether the autoscaler that has set the replicas still exists.
	autoscalers = Grant{
		Group:    "autoscaling",
		Resource: "horizontalpodautoscalers",
		Verbs:    []string{"list"},
		Without:  "norn keeps replicas that anything but kubectl has set",
	}
	// readSecret allows norn to hide the values of the app's Secret in its Pods' logs.
	readSecret = Grant{
		Resource: "secrets",
		Verbs:    []string{"get"},
		Without:  "norn cannot hide the values of the app's Secret in log lines",
	}
	// deleteClaims allows teardown to delete an app's data.
	deleteClaims = Grant{
		Resource: "persistentvolumeclaims",
		Verbs:    []string{"delete"},
		Without:  "norn cannot delete the data",
	}
)

// forgeGrants returns the grants that forge uses for an app with or without secrets.
func forgeGrants(secrets bool) []Grant {
	rules := []Grant{
		{Group: apps, Resource: "deployments", Verbs: []string{"delete", "get", "create", "patch"}},
		{Group: batch, Resource: "cronjobs", Verbs: []string{"delete", "get", "create", "patch"}},
		{Resource: "services", Verbs: append([]string{"delete"}, applyVerbs()...)},
		{Resource: "persistentvolumeclaims", Verbs: applyVerbs()},
		leases,
	}
	if secrets {
		rules = append(rules, Grant{Resource: "secrets", Verbs: []string{"get"}})
	}
	return rules
}

// diffGrants returns the grants that diff uses. A dry run needs the permission to write.
func diffGrants() []Grant {
	made := []string{"get", "create", "patch"}
	return []Grant{
		{Group: apps, Resource: "deployments", Verbs: made},
		{Group: batch, Resource: "cronjobs", Verbs: made},
		{Resource: "services", Verbs: applyVerbs()},
		{Resource: "persistentvolumeclaims", Verbs: applyVerbs()},
	}
}

// teardownGrants returns the grants that teardown uses, with or without deleting the app's data.
func teardownGrants(deleteData bool) []Grant {
	gone := []string{"get", "list", "delete"}
	rules := []Grant{
		{Group: apps, Resource: "deployments", Verbs: append([]string{"watch"}, gone...)},
		{Group: batch, Resource: "cronjobs", Verbs: gone},
		{Group: batch, Resource: "jobs", Verbs: []string{"list", "delete"}},
		{Resource: "podtemplates", Verbs: []string{"list", "delete"}},
		{Resource: "services", Verbs: gone},
		{Resource: "secrets", Verbs: []string{"get", "delete"}},
		{Resource: "persistentvolumeclaims", Verbs: []string{"list"}},
		{Group: apps, Resource: "replicasets", Verbs: []string{"list", "watch"}},
		{Resource: "pods", Verbs: []string{"list", "watch"}},
		leases,
	}
	if deleteData {
		rules = append(rules, deleteClaims)
	}
	return rules
}

// TunnelGrants returns the grants in the tunnel's namespace that an app with a public host needs.
func TunnelGrants() []Grant {
	return []Grant{
		{Resource: "configmaps", Verbs: []string{"get", "update"}},
		{Group: apps, Resource: "deployments", Verbs: []string{"get", "list", "watch", "patch"}},
	}
}

// rolloutGrants returns the grants for replacing Pods, watching the new ones and explaining failures.
func rolloutGrants() []Grant {
	return []Grant{
		{Group: apps, Resource: "deployments", Verbs: []string{"get", "list", "watch", "patch"}},
		{Group: apps, Resource: "replicasets", Verbs: []string{"list", "watch", "patch"}},
		{Resource: "pods", Verbs: []string{"list", "watch"}},
		{Resource: "pods/log", Verbs: []string{"get"}, Without: "norn cannot show the log of a Pod that fails"},
		{
			Resource: "events",
			Verbs:    []string{"list", "watch"},
			Without:  "norn cannot explain why a Pod does not start",
		},
		{
			Resource: "persistentvolumeclaims",
			Verbs:    []string{"list", "watch"},
			Without:  "norn cannot name a claim that keeps a Pod from starting",
		},
		{Resource: "pods/proxy", Verbs: []string{"get"}, Without: "norn cannot name the port that a container listens on"},
	}
}

// deployGrants returns the grants that deploy uses: for a rollout, a migration's Job, the app's Secret, and the
// objects that cron and function apps have instead of a Deployment.
func deployGrants() []Grant {
	return append(rolloutGrants(),
		Grant{Group: batch, Resource: "cronjobs", Verbs: []string{"get", "create", "patch"}},
		Grant{Resource: "podtemplates", Verbs: []string{"get", "create", "patch"}},
		Grant{Group: batch, Resource: "jobs", Verbs: []string{"get", "list", "create", "patch", "delete"}},
		Grant{Resource: "secrets", Verbs: []string{"get", "create", "patch"}},
		Grant{
			Group: apps, Resource: "replicasets", Verbs: []string{"delete"},
			Without: "norn cannot delete the revisions beyond artifacts.retain",
		},
		leases,
	)
}

// deployGrantsFor returns the grants of deploy without which it cannot ship spec.
func deployGrantsFor(spec *infraspec.Spec) []Grant {
	var grants []Grant
	switch spec.Role {
	case infraspec.Cron:
		grants = []Grant{{Group: batch, Resource: "cronjobs", Verbs: []string{"get", "patch"}}}
	case infraspec.Function:
		grants = []Grant{{Resource: "podtemplates", Verbs: []string{"get", "create", "patch"}}}
	case infraspec.Webserver, infraspec.Worker:
		grants = rolloutGrants()
	}
	if len(spec.Migrations.Command) > 0 {
		grants = append(grants,
			Grant{Group: batch, Resource: "jobs", Verbs: []string{"get", "list", "create", "patch", "delete"}})
	}
	if len(spec.Secrets) > 0 {
		grants = append(grants, Grant{Resource: "secrets", Verbs: []string{"get", "create", "patch"}})
	}
	return append(grants, leases)
}

// required returns the grants without which a command fails.
func required(grants []Grant) []Grant {
	var out []Grant
	for _, g := range grants {
		if g.Without == "" {
			out = append(out, g)
		}
	}
	return out
}

func jobGrants() []Grant {
	return []Grant{
		{Group: apps, Resource: "deployments", Verbs: []string{"get"}},
		{Group: batch, Resource: "cronjobs", Verbs: []string{"get"}},
		{Resource: "podtemplates", Verbs: []string{"get"}},
		{Group: batch, Resource: "jobs", Verbs: []string{"get", "create", "delete"}},
		{Resource: "pods", Verbs: []string{"list", "watch"}},
		{Resource: "pods/log", Verbs: []string{"get"}},
		{Resource: "events", Verbs: []string{"list"}},
	}
}

func logGrants() []Grant {
	return []Grant{
		{Group: apps, Resource: "deployments", Verbs: []string{"list", "watch"}},
		{Group: apps, Resource: "replicasets", Verbs: []string{"list", "watch"}},
		{Group: batch, Resource: "cronjobs", Verbs: []string{"get"}},
		{Resource: "pods", Verbs: []string{"list", "watch"}},
		{Resource: "pods/log", Verbs: []string{"get"}},
		{Resource: "events", Verbs: []string{"list", "watch"}},
		{
			Group: batch, Resource: "jobs", Verbs: []string{"list"},
			Without: "norn cannot tell why a run of a cron app has no Pod",
		},
		readSecret,
	}
}

func statusGrants() []Grant {
	list := []string{"list"}
	return []Grant{
		{Group: apps, Resource: "deployments", Verbs: list},
		{Group: apps, Resource: "replicasets", Verbs: list},
		{Group: batch, Resource: "cronjobs", Verbs: list},
		{Group: batch, Resource: "jobs", Verbs: list},
		{Resource: "podtemplates", Verbs: list},
		{Resource: "services", Verbs: list},
		{Resource: "persistentvolumeclaims", Verbs: list},
		{Resource: "pods", Verbs: list},
		{Resource: "events", Verbs: list, Without: "norn cannot explain why a Pod does not start"},
		{Resource: "secrets", Verbs: []string{"get"}, Without: "norn cannot tell which secrets are in the cluster"},
	}
}

// Permissions returns the permissions of grants in a namespace.
func Permissions(ns string, grants []Grant) []k8s.Permission {
	var out []k8s.Permission
	for _, g := range grants {
		for _, verb := range g.Verbs {
			out = append(out, k8s.Permission{Namespace: ns, Group: g.Group, Resource: g.Resource, Verb: verb})
		}
	}
	return out
}
