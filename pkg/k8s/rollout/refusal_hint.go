package rollout

import (
	"cmp"
	"fmt"
	"strings"
)

// Hint returns what to do about refused Pods, by the first of their violations. place returns where the infraspec sets
// a key, such as "infraspec.yaml line 4", or "" if it does not.
func (r Refusal) Hint(place func(key string) string) string {
	if r.Quota {
		return quotaHint(r.Resources, place)
	}
	var missing []string
	for _, what := range r.Violations {
		list, resource, isResource := strings.Cut(what, ".")
		if !isResource {
			continue
		}
		key := "resources." + list + "." + resource
		if at := place(key); at != "" {
			return fmt.Sprintf("change %s in %s to what the policy above allows", key, at)
		}
		missing = append(missing, key)
	}
	if len(missing) > 0 {
		return fmt.Sprintf("set %s in the infraspec to what the policy above allows", strings.Join(missing, ", "))
	}
	if len(r.Violations) > 0 {
		return violationHint(r.Violations[0], place)
	}
	return "ask the cluster's admin about the policy above, which refuses the Pods"
}

// quotaHint names a key whose value counts against an exhausted quota.
func quotaHint(resources []string, place func(key string) string) string {
	for _, resource := range resources {
		for _, key := range []string{"resources.requests." + resource, "resources.limits." + resource} {
			if at := place(key); at != "" {
				return fmt.Sprintf("lower %s in %s", key, at)
			}
		}
	}
	return "see the rest of the quota with kubectl describe resourcequota"
}

func violationHint(what string, place func(key string) string) string {
	const theFile = "the infraspec"
	switch what {
	case HostPath:
		return fmt.Sprintf("replace hostPath with size in %s: the namespace forbids hostPath volumes",
			cmp.Or(place("volumes[].hostPath"), theFile))
	case SecurityContext:
		if at := place("pod.security"); at != "" {
			return "set security: restricted in " + at
		}
		return "set pod: {security: restricted} in the infraspec"
	case Privilege:
		return "remove the field that the policy above names: the overlay or kubectl has set it"
	case Constraint:
		return "remove runAsUser and fsGroup, which OpenShift chooses itself, or ask the cluster's admin to allow an SCC " +
			"for the app's ServiceAccount"
	case Probe:
		return "set healthcheck in the infraspec"
	case Account:
		return "create the ServiceAccount, or correct pod.serviceAccount in " +
			cmp.Or(place("pod.serviceAccount"), theFile)
	}
	return "ask the cluster's admin about the policy above, which refuses the Pods"
}
