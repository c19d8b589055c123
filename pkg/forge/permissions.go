package forge

import (
	"slices"

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
		{
			"forge",
			slices.Concat(forgeGrants(true), quotas, []Grant{
				autoscalers, functions, adoptSecret, standard, tryPods,
				{Group: apps, Resource: "deployments", Verbs: []string{"list"}, Without: keepsDropped},
				{Group: batch, Resource: "cronjobs", Verbs: []string{"list"}, Without: keepsDropped},
				disruptionBudgets("norn makes none, so draining nodes may end all Pods of an app at once",
					"get", "list", "create", "patch", "delete"),
			}),
		},
		{"deploy", deployGrants()},
		{"restart", append(rolloutGrants(), leases, readSecret)},
		{"rollback", append(rolloutGrants(), leases, readSecret, processCronJobs)},
		{"logs", logGrants()},
		{"status", statusGrants()},
		{
			"history",
			[]Grant{
				{Group: apps, Resource: "deployments", Verbs: []string{"get"}},
				{Group: batch, Resource: "cronjobs", Verbs: []string{"get"}},
				{Group: apps, Resource: "replicasets", Verbs: []string{"list"}},
				processDeployments,
			},
		},
		{"diff", diffGrants()},
		{"snapshots restore", []Grant{{Group: apps, Resource: "deployments", Verbs: []string{"get"}}, leases}},
		{
			"secrets list",
			[]Grant{{Resource: "secrets", Verbs: []string{"get"}, Without: "norn cannot tell which secrets are in the cluster"}},
		},
		{"run", append(jobGrants(), attach)},
		{"invoke", append(jobGrants(), standard)},
		{"teardown", teardownGrants(false)},
		{"teardown --delete-data", []Grant{deleteClaims}},
	}
}

// keepsDropped is what a command cannot do if it cannot list the workloads of an app.
const keepsDropped = "norn forge leaves the workloads of processes that the infraspec no longer has"

const (
	apps   = "apps"
	batch  = "batch"
	policy = "policy"
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
	// functions allows norn to see which repository a function app belongs to, and to take the app over.
	functions = Grant{
		Resource: "podtemplates",
		Verbs:    []string{"get", "patch"},
		Without:  "norn forge does not see that a function app belongs to another repository",
	}
	// adoptSecret allows forge --adopt to take over the app's Secret.
	adoptSecret = Grant{
		Resource: "secrets",
		Verbs:    []string{"patch"},
		Without:  "norn forge --adopt cannot take over the app's Secret",
	}
	// tryPods allows norn to ask the API server whether it would accept the app's Pods.
	tryPods = Grant{
		Resource: "pods",
		Verbs:    []string{"create"},
		Without:  "norn cannot check in advance what the cluster's policies refuse",
	}
	// endPods allows a deploy to delete the Pod that it has started for verify.
	endPods = Grant{
		Resource: "pods",
		Verbs:    []string{"delete"},
		Without:  "norn cannot deploy an app whose infraspec has a verify",
	}
	// readSecret allows norn to hide the values of the app's Secret in its Pods' logs.
	readSecret = Grant{
		Resource: "secrets",
		Verbs:    []string{"get"},
		Without:  "norn cannot hide the values of the app's Secret in log lines",
	}
	// processDeployments allows norn to see the processes of an app.
	processDeployments = Grant{
		Group:    apps,
		Resource: "deployments",
		Verbs:    []string{"list"},
		Without:  "norn shows only the revisions of an app's main process",
	}
	// processCronJobs allows norn to set the version of the processes that are CronJobs.
	processCronJobs = Grant{
		Group:    batch,
		Resource: "cronjobs",
		Verbs:    []string{"list", "patch"},
		Without:  "norn leaves the CronJobs of an app's processes as they are",
	}
	// standard allows norn to see the Pod Security Standard of the namespace. A Role can grant it for its own namespace.
	standard = Grant{
		Resource: "namespaces",
		Verbs:    []string{"get"},
		Without:  "norn does not see which Pod Security Standard the namespace enforces",
	}
	// attach allows norn run to pass standard input. Since Kubernetes 1.35, a WebSocket needs both verbs.
	attach = Grant{
		Resource: "pods/attach",
		Verbs:    []string{"get", "create"},
		Without:  "norn run cannot pass standard input",
	}
	// deleteClaims allows teardown to delete an app's data.
	deleteClaims = Grant{
		Resource: "persistentvolumeclaims",
		Verbs:    []string{"get", "delete"},
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

// disruptionBudgets returns the grant for the PodDisruptionBudget, which no command needs.
func disruptionBudgets(without string, verbs ...string) Grant {
	return Grant{Group: policy, Resource: "poddisruptionbudgets", Verbs: verbs, Without: without}
}

// diffGrants returns the grants that diff uses. A dry run needs the permission to write.
func diffGrants() []Grant {
	made := []string{"get", "create", "patch"}
	return []Grant{
		{Group: apps, Resource: "deployments", Verbs: made},
		{Group: batch, Resource: "cronjobs", Verbs: made},
		{Resource: "services", Verbs: applyVerbs()},
		{Resource: "persistentvolumeclaims", Verbs: applyVerbs()},
		disruptionBudgets("norn does not show changes of the PodDisruptionBudget", applyVerbs()...),
		standard,
		tryPods,
	}
}

// teardownGrants returns the grants that teardown uses, with or without deleting the app's data.
func teardownGrants(deleteData bool) []Grant {
	gone := []string{"get", "list", "delete"}
	rules := []Grant{
		{Group: apps, Resource: "deployments", Verbs: append([]string{"watch"}, gone...)},
		{Group: batch, Resource: "cronjobs", Verbs: gone},
		{Group: batch, Resource: "jobs", Verbs: gone},
		{Resource: "podtemplates", Verbs: gone},
		{Resource: "services", Verbs: gone},
		disruptionBudgets("norn leaves the PodDisruptionBudget behind", gone...),
		{Resource: "secrets", Verbs: []string{"get", "delete"}},
		{Resource: "persistentvolumeclaims", Verbs: []string{"list"}},
		{Group: apps, Resource: "replicasets", Verbs: []string{"list", "watch"}},
		{Resource: "pods", Verbs: []string{"list", "watch"}},
		{Resource: "pods", Verbs: []string{"delete"}, Without: "norn cannot delete a Pod that a killed deploy has left"},
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
			Resource: "secrets", Verbs: []string{"delete"},
			Without: "norn leaves the previous values in the Secret <app>-secrets-previous",
		},
		Grant{
			Group: apps, Resource: "replicasets", Verbs: []string{"delete"},
			Without: "norn cannot delete the revisions beyond artifacts.retain",
		},
		tryPods,
		endPods,
		leases,
		standard,
	)
}

// deployGrantsFor returns the grants of deploy without which it cannot ship spec.
func deployGrantsFor(spec *infraspec.Spec) []Grant {
	var grants []Grant
	for _, w := range spec.Workloads() {
		switch w.Role {
		case infraspec.Cron:
			grants = append(grants, Grant{Group: batch, Resource: "cronjobs", Verbs: []string{"get", "patch"}})
		case infraspec.Function:
			grants = append(grants, Grant{Resource: "podtemplates", Verbs: []string{"get", "create", "patch"}})
		case infraspec.Webserver, infraspec.Worker:
			grants = append(grants, rolloutGrants()...)
		}
	}
	verifies := len(spec.Verify) > 0 && spec.Role.Standing()
	if verifies {
		grants = append(grants, Grant{Resource: "pods", Verbs: []string{"create", "delete"}})
	}
	if verifies || len(spec.Migrations.Command) > 0 {
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
		{
			Group: batch, Resource: "cronjobs", Verbs: []string{"list"},
			Without: "norn does not find the runs of cron processes",
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
		disruptionBudgets("norn does not compare the PodDisruptionBudget with the infraspec", list...),
		{Resource: "pods", Verbs: list},
		{Resource: "events", Verbs: list, Without: "norn cannot explain why a Pod does not start"},
		{Resource: "secrets", Verbs: []string{"get"}, Without: "norn cannot tell which secrets are in the cluster"},
		standard,
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
