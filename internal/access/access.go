// Package access is the one list of the permissions that norn uses, by command. forge and teardown ask for theirs before their first
// write, norn doctor asks for all, and docs/rbac.md has the Roles that grant them.
package access

import "norn/pkg/k8s"

// Rule is what may be done to one kind of object.
type Rule struct {
	Group, Resource string
	Verbs           []string
	// Without is what is lost where the rule is not granted; "" means that the command does not work.
	Without string
}

// Command is a command of norn with all that it may use.
type Command struct {
	Name  string
	Rules []Rule
}

// Commands are those that drive a cluster, in the order of docs.
func Commands() []Command {
	return []Command{
		{"forge", append(Forge(true), quotas...)},
		{"deploy", deploy()},
		{"restart", append(rollout(), lease, hidden)},
		{"rollback", append(rollout(), lease, hidden)},
		{"logs", logs()},
		{"status", status()},
		{"history", []Rule{{Group: apps, Resource: "deployments", Verbs: []string{"get"}}, {Group: batch, Resource: "cronjobs", Verbs: []string{"get"}}, {Group: apps, Resource: "replicasets", Verbs: []string{"list"}}}},
		{"diff", diff()},
		{"snapshots restore", []Rule{{Group: apps, Resource: "deployments", Verbs: []string{"get"}}, lease}},
		{"secrets list", []Rule{{Resource: "secrets", Verbs: []string{"get"}, Without: "which secrets are in the cluster is not known"}}},
		{"run", jobs()},
		{"invoke", jobs()},
		{"teardown", Teardown(false)},
		{"teardown --delete-data", []Rule{dropped}},
	}
}

const (
	apps  = "apps"
	batch = "batch"
)

// applied returns the verbs that server-side apply needs to create an object and to change it. Each caller gets a slice of
// its own, since a Rule's Verbs leave the package.
func applied() []string { return []string{"get", "list", "create", "patch"} }

var (
	lease  = Rule{Group: "coordination.k8s.io", Resource: "leases", Verbs: []string{"get", "create", "update", "delete"}}
	quotas = []Rule{
		{Resource: "resourcequotas", Verbs: []string{"list"}, Without: "what a quota would refuse is not seen beforehand"},
		{Resource: "limitranges", Verbs: []string{"list"}, Without: "what a limit would refuse is not seen beforehand"},
	}
	// hidden is the app's Secret, whose values are kept out of the pods' lines.
	hidden = Rule{Resource: "secrets", Verbs: []string{"get"}, Without: "values of the app's Secret cannot be kept out of the pods' lines that are shown"}
	// dropped are an app's data.
	dropped = Rule{Resource: "persistentvolumeclaims", Verbs: []string{"delete", "watch"}, Without: "it is refused"}
)

// Forge is what a forge uses, of an app with secrets or without.
func Forge(secrets bool) []Rule {
	rules := []Rule{
		{Group: apps, Resource: "deployments", Verbs: []string{"delete", "get", "create", "patch"}},
		{Group: batch, Resource: "cronjobs", Verbs: []string{"delete", "get", "create", "patch"}},
		{Resource: "services", Verbs: append([]string{"delete"}, applied()...)},
		{Resource: "persistentvolumeclaims", Verbs: applied()},
		lease,
	}
	if secrets {
		rules = append(rules, Rule{Resource: "secrets", Verbs: []string{"get"}})
	}
	return rules
}

// diff is what a forge would write, which a dry run takes too.
func diff() []Rule {
	made := []string{"get", "create", "patch"}
	return []Rule{
		{Group: apps, Resource: "deployments", Verbs: made},
		{Group: batch, Resource: "cronjobs", Verbs: made},
		{Resource: "services", Verbs: applied()},
		{Resource: "persistentvolumeclaims", Verbs: applied()},
	}
}

// Teardown is what a teardown uses, with the app's data or without.
func Teardown(deleteData bool) []Rule {
	gone := []string{"get", "list", "delete"}
	rules := []Rule{
		{Group: apps, Resource: "deployments", Verbs: append([]string{"watch"}, gone...)},
		{Group: batch, Resource: "cronjobs", Verbs: gone},
		{Group: batch, Resource: "jobs", Verbs: []string{"list", "delete"}},
		{Resource: "podtemplates", Verbs: []string{"list", "delete"}},
		{Resource: "services", Verbs: gone},
		{Resource: "secrets", Verbs: []string{"get", "delete"}},
		{Resource: "persistentvolumeclaims", Verbs: []string{"list"}},
		{Group: apps, Resource: "replicasets", Verbs: []string{"list", "watch"}},
		{Resource: "pods", Verbs: []string{"list", "watch"}},
		lease,
	}
	if deleteData {
		rules = append(rules, dropped)
	}
	return rules
}

// Tunnel is what the rule of an app with a public host takes, in the tunnel's namespace.
func Tunnel() []Rule {
	return []Rule{{Resource: "configmaps", Verbs: []string{"get", "update"}}, {Group: apps, Resource: "deployments", Verbs: []string{"get", "list", "watch", "patch"}}}
}

// rollout is what it takes to change the pods, to watch them come up, and to say why they do not.
func rollout() []Rule {
	return []Rule{
		{Group: apps, Resource: "deployments", Verbs: []string{"get", "list", "watch", "patch"}},
		{Group: apps, Resource: "replicasets", Verbs: []string{"list", "watch", "patch"}},
		{Resource: "pods", Verbs: []string{"list", "watch"}},
		{Resource: "pods/log", Verbs: []string{"get"}},
		{Resource: "events", Verbs: []string{"list", "watch"}},
		{Resource: "persistentvolumeclaims", Verbs: []string{"list", "watch"}, Without: "a claim that keeps a pod from starting is not named"},
		{Resource: "pods/proxy", Verbs: []string{"get"}, Without: "where a container listens that its probe does not find is not said"},
	}
}

// deploy takes a rollout, a migration's Job, the app's Secret, and what cron and function apps ship instead of a Deployment.
func deploy() []Rule {
	return append(rollout(),
		Rule{Group: batch, Resource: "cronjobs", Verbs: []string{"get", "create", "patch"}},
		Rule{Resource: "podtemplates", Verbs: []string{"get", "create", "patch"}},
		Rule{Group: batch, Resource: "jobs", Verbs: []string{"get", "list", "create", "patch", "delete"}},
		Rule{Resource: "secrets", Verbs: []string{"get", "create", "patch"}},
		lease,
	)
}

func jobs() []Rule {
	return []Rule{
		{Group: apps, Resource: "deployments", Verbs: []string{"get"}},
		{Group: batch, Resource: "cronjobs", Verbs: []string{"get"}},
		{Resource: "podtemplates", Verbs: []string{"get"}},
		{Group: batch, Resource: "jobs", Verbs: []string{"get", "create", "delete"}},
		{Resource: "pods", Verbs: []string{"list", "watch"}},
		{Resource: "pods/log", Verbs: []string{"get"}},
		{Resource: "events", Verbs: []string{"list"}},
	}
}

func logs() []Rule {
	return []Rule{
		{Group: apps, Resource: "deployments", Verbs: []string{"list", "watch"}},
		{Group: apps, Resource: "replicasets", Verbs: []string{"list", "watch"}},
		{Group: batch, Resource: "cronjobs", Verbs: []string{"get"}},
		{Resource: "pods", Verbs: []string{"list", "watch"}},
		{Resource: "pods/log", Verbs: []string{"get"}},
		{Resource: "events", Verbs: []string{"list", "watch"}},
		hidden,
	}
}

func status() []Rule {
	list := []string{"list"}
	return []Rule{
		{Group: apps, Resource: "deployments", Verbs: list},
		{Group: apps, Resource: "replicasets", Verbs: list},
		{Group: batch, Resource: "cronjobs", Verbs: list},
		{Group: batch, Resource: "jobs", Verbs: list},
		{Resource: "podtemplates", Verbs: list},
		{Resource: "services", Verbs: list},
		{Resource: "persistentvolumeclaims", Verbs: list},
		{Resource: "pods", Verbs: list},
		{Resource: "events", Verbs: list, Without: "why a pod does not come up is not said"},
		{Resource: "secrets", Verbs: []string{"get"}, Without: "which secrets are in the cluster is not known"},
	}
}

// Permissions are all that rules grant in a namespace.
func Permissions(ns string, rules []Rule) []k8s.Permission {
	var out []k8s.Permission
	for _, r := range rules {
		for _, verb := range r.Verbs {
			out = append(out, k8s.Permission{Namespace: ns, Group: r.Group, Resource: r.Resource, Verb: verb})
		}
	}
	return out
}
