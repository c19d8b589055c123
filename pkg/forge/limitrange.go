package forge

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// limitRangeProblems checks the infraspec's resources against the namespace's LimitRanges for containers. An omitted
// resource gets a LimitRange's default, which the LimitRange allows. limitRangeProblems leaves ranges for whole Pods to
// the API server, because other containers may be added.
func limitRangeProblems(spec *infraspec.Spec, b k8s.Budget) []string {
	var problems []string
	for _, r := range b.Limits {
		for _, item := range r.Spec.Limits {
			if item.Type != corev1.LimitTypeContainer {
				continue
			}
			for _, list := range []string{"limits", "requests"} {
				for _, what := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
					amount, given := requested(spec, k8s.Budget{}, list, string(what))
					if !given {
						continue
					}
					if most, ok := item.Max[what]; ok && amount.Cmp(most) > 0 {
						problems = append(problems, fmt.Sprintf("LimitRange %s allows at most %s of %s.%s for a container, "+
							"but the infraspec asks for %s", r.Name, most.String(), list, what, amount.String()))
					}
					if least, ok := item.Min[what]; ok && amount.Cmp(least) < 0 {
						problems = append(problems, fmt.Sprintf("LimitRange %s requires at least %s of %s.%s for a container, "+
							"but the infraspec asks for %s", r.Name, least.String(), list, what, amount.String()))
					}
				}
			}
		}
	}
	return problems
}
