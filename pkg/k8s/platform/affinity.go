package platform

import (
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/k8s/metadata"
)

// Affinity returns the affinity that restricts Pods to nodes of these platforms, or nil for none.
func Affinity(platforms []string) *applycore.AffinityApplyConfiguration {
	if len(platforms) == 0 {
		return nil
	}
	selector := applycore.NodeSelector()
	for _, term := range terms(platforms) {
		conf := applycore.NodeSelectorTerm()
		for _, e := range term.MatchExpressions {
			conf.WithMatchExpressions(
				applycore.NodeSelectorRequirement().WithKey(e.Key).WithOperator(e.Operator).WithValues(e.Values...))
		}
		selector.WithNodeSelectorTerms(conf)
	}
	return applycore.Affinity().WithNodeAffinity(
		applycore.NodeAffinity().WithRequiredDuringSchedulingIgnoredDuringExecution(selector))
}

// Require restricts a Pod to nodes of these platforms, unless it requires certain nodes already.
func Require(pod *corev1.PodSpec, platforms []string) {
	if len(platforms) == 0 || required(*pod) != nil {
		return
	}
	if pod.Affinity == nil {
		pod.Affinity = &corev1.Affinity{}
	}
	if pod.Affinity.NodeAffinity == nil {
		pod.Affinity.NodeAffinity = &corev1.NodeAffinity{}
	}
	pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{
		NodeSelectorTerms: terms(platforms),
	}
}

// terms returns a term for each operating system. A node must match one of the terms, with all expressions of it.
func terms(platforms []string) []corev1.NodeSelectorTerm {
	architectures := map[string][]string{} // by operating system
	var systems []string
	for _, p := range platforms {
		system, architecture, _ := strings.Cut(base(p), "/")
		if !slices.Contains(systems, system) {
			systems = append(systems, system)
		}
		if !slices.Contains(architectures[system], architecture) {
			architectures[system] = append(architectures[system], architecture)
		}
	}
	slices.Sort(systems)
	var out []corev1.NodeSelectorTerm
	for _, system := range systems {
		slices.Sort(architectures[system])
		out = append(out, corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{
			{Key: corev1.LabelArchStable, Operator: corev1.NodeSelectorOpIn, Values: architectures[system]},
			{Key: corev1.LabelOSStable, Operator: corev1.NodeSelectorOpIn, Values: []string{system}},
		}})
	}
	return out
}

// Of returns the platforms that a Pod requires of its nodes, or none. An affinity of another form requires something
// else.
func Of(pod corev1.PodSpec) []string {
	selector := required(pod)
	if selector == nil {
		return nil
	}
	var out []string
	for _, term := range selector.NodeSelectorTerms {
		systems, architectures := values(term, corev1.LabelOSStable), values(term, corev1.LabelArchStable)
		if len(term.MatchExpressions) != 2 || len(term.MatchFields) > 0 || len(systems) != 1 || len(architectures) == 0 {
			return nil
		}
		for _, a := range architectures {
			out = append(out, systems[0]+"/"+a)
		}
	}
	return out
}

// values returns the values that a term allows for a label, or none.
func values(term corev1.NodeSelectorTerm, label string) []string {
	for _, e := range term.MatchExpressions {
		if e.Key == label && e.Operator == corev1.NodeSelectorOpIn {
			return e.Values
		}
	}
	return nil
}

func required(pod corev1.PodSpec) *corev1.NodeSelector {
	if pod.Affinity == nil || pod.Affinity.NodeAffinity == nil {
		return nil
	}
	return pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
}

// IsForeign reports whether the Pods of a workload require nodes by an affinity that no deploy has set: the infraspec
// or somebody else has. The API server replaces such an affinity as a whole, so a deploy must leave it alone.
func IsForeign(workload metav1.Object, pod corev1.PodSpec) bool {
	if required(pod) == nil {
		return false
	}
	return len(Of(pod)) == 0 ||
		setsNodes(workload, metadata.ForgeManager) && !setsNodes(workload, metadata.DeployManager)
}

// setsNodes reports whether a field manager owns the required node affinity of a workload.
func setsNodes(workload metav1.Object, manager string) bool {
	return slices.ContainsFunc(workload.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool {
		if m.Manager != manager || m.FieldsV1 == nil {
			return false
		}
		var fields map[string]any
		return json.Unmarshal(m.FieldsV1.GetRawBytes(), &fields) == nil && hasNodes(fields)
	})
}

func hasNodes(fields map[string]any) bool {
	for name, below := range fields {
		below, ok := below.(map[string]any)
		if !ok {
			continue
		}
		if _, found := below["f:requiredDuringSchedulingIgnoredDuringExecution"]; found && name == "f:nodeAffinity" {
			return true
		}
		if hasNodes(below) {
			return true
		}
	}
	return false
}
