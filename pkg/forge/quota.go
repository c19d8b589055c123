package forge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// QuotaError reports that a namespace's ResourceQuotas or LimitRanges would reject the app's objects. Nothing has been
// written.
type QuotaError struct{ Problems []string }

// Error returns the problems, one per line.
func (e *QuotaError) Error() string { return strings.Join(e.Problems, "\n") }

// Hint returns what to change.
func (e *QuotaError) Hint() string {
	return "change resources, replicas or volumes in the infraspec, or ask for a larger quota"
}

// checkQuota returns a *QuotaError if the namespace's quotas or limit ranges would reject the app's objects. Without
// this check, the rejection appears only when Pods are created, where it is hard to notice (kubernetes.io: Resource
// Quotas). checkQuota leaves quotas with scopes to the API server.
func checkQuota(spec *infraspec.Spec, b k8s.Budget, l *live) error {
	var problems []string
	for _, w := range spec.Workloads() {
		problems = append(problems, limitRangeProblems(w, b)...)
	}
	for _, q := range b.Quotas {
		if len(q.Spec.Scopes) > 0 || q.Spec.ScopeSelector != nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(q.Spec.Hard)) {
			hard := q.Spec.Hard[name]
			if l.isNew() { // other apps account for all usage; later it includes this app
				hard.Sub(q.Status.Used[name])
			}
			if p := computeProblem(spec, b, name, hard); p != "" {
				problems = append(problems, fmt.Sprintf("ResourceQuota %s %s", q.Name, p))
			}
			if p := storageProblem(spec, q, name, l); p != "" {
				problems = append(problems, fmt.Sprintf("ResourceQuota %s %s", q.Name, p))
			}
		}
	}
	if len(problems) > 0 {
		return &QuotaError{problems}
	}
	return nil
}

// isNew reports whether the app has no workload yet.
func (l *live) isNew() bool {
	return !slices.ContainsFunc(l.workloads(), func(w *workload) bool { return w.deployment != nil || w.cronJob != nil })
}

// podsOf returns the number of Pods of a workload.
func podsOf(spec *infraspec.Spec) int64 {
	if spec.Role.Standing() {
		return int64(spec.Replicas)
	}
	return 1
}

// computeProblem checks one line of a quota against all Pods of the app.
func computeProblem(spec *infraspec.Spec, b k8s.Budget, name corev1.ResourceName, hard resource.Quantity) string {
	pods := int64(0)
	for _, w := range spec.Workloads() {
		pods += podsOf(w)
	}
	if name == corev1.ResourcePods {
		if hard.CmpInt64(pods) < 0 {
			return fmt.Sprintf("leaves %s Pods, but the infraspec asks for %d", hard.String(), pods)
		}
		return ""
	}
	list, what, ok := strings.Cut(string(name), ".")
	if !ok { // plain cpu and memory are requests
		list, what = "requests", string(name)
	}
	if (what != "cpu" && what != "memory") || (list != "requests" && list != "limits") {
		return ""
	}
	var total resource.Quantity
	var parts []string
	for _, w := range spec.Workloads() {
		amount, given := requested(w, b, list, what)
		if !given {
			return fmt.Sprintf("requires every container to set %s.%s: set %s.%[1]s.%[2]s in the infraspec",
				list, what, w.PathOf("resources"))
		}
		parts = append(parts, fmt.Sprintf("%d × %s", podsOf(w), amount.String()))
		amount = amount.DeepCopy()
		amount.Mul(podsOf(w))
		total.Add(amount)
	}
	if total.Cmp(hard) > 0 {
		return fmt.Sprintf(
			"leaves %s of %s.%s, but the infraspec asks for %s (%s)",
			hard.String(), list, what, total.String(), strings.Join(parts, " + "),
		)
	}
	return ""
}

// requested returns the amount that the app's container requests, or its limit. A request defaults to the limit, and
// both default to a LimitRange.
func requested(spec *infraspec.Spec, b k8s.Budget, list, what string) (resource.Quantity, bool) {
	if list == "requests" && spec.Resources.Requests[what] != "" {
		return spec.Resources.Requests[what].Value(), true
	}
	if limit := spec.Resources.Limits[what]; limit != "" {
		return limit.Value(), true
	}
	if spec.Role == infraspec.Function && what == "memory" {
		return objects.Memory(spec.Function.Memory), true
	}
	for _, r := range b.Limits {
		for _, item := range r.Spec.Limits {
			if item.Type != corev1.LimitTypeContainer {
				continue
			}
			defaults := item.Default
			if _, ok := item.DefaultRequest[corev1.ResourceName(what)]; ok && list == "requests" {
				defaults = item.DefaultRequest
			}
			if q, ok := defaults[corev1.ResourceName(what)]; ok {
				return q, true
			}
		}
	}
	return resource.Quantity{}, false
}

// storageProblem checks one line of a quota against the claims that do not exist yet.
func storageProblem(spec *infraspec.Spec, q corev1.ResourceQuota, name corev1.ResourceName, l *live) string {
	if name != corev1.ResourceRequestsStorage && name != corev1.ResourcePersistentVolumeClaims {
		return ""
	}
	used := q.Status.Used[name]
	more := resource.Quantity{}
	for _, v := range objects.ClaimedVolumes(spec) {
		if l.claims[objects.ClaimName(spec.App, v.Name)] != nil {
			continue
		}
		if name == corev1.ResourcePersistentVolumeClaims {
			more.Add(resource.MustParse("1"))
		} else {
			more.Add(v.Size.Value())
		}
	}
	total := used.DeepCopy()
	total.Add(more)
	hard := q.Spec.Hard[name]
	if !more.IsZero() && total.Cmp(hard) > 0 {
		return fmt.Sprintf(
			"allows %s of %s in total, %s are used, but the infraspec asks for %s more",
			hard.String(), name, used.String(), more.String(),
		)
	}
	return ""
}
