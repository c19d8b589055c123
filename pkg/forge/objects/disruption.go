package objects

import (
	"slices"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"
	applypolicy "k8s.io/client-go/applyconfigurations/policy/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// KindDisruptionBudget is the kind of the object that limits how many Pods a node's drain evicts at a time.
const KindDisruptionBudget = "PodDisruptionBudget"

// DisruptionBudget returns the app's PodDisruptionBudget, or nil if the app needs none: a web server with a Service and
// at least two Pods. scaled is whether an autoscaler sets the replicas. Then there is always one, because it never
// blocks the eviction of a single Pod.
//
// It always allows the eviction of Pods that are not ready. Otherwise an app that is down would keep its nodes from
// being drained (kubernetes.io: Specifying a Disruption Budget for your Application, Unhealthy Pod Eviction Policy).
func DisruptionBudget(
	spec *infraspec.Spec, s Settings, scaled bool,
) *applypolicy.PodDisruptionBudgetApplyConfiguration {
	if !serves(spec) || spec.Replicas < 2 && !scaled {
		return nil
	}
	budget := applypolicy.PodDisruptionBudgetSpec().
		WithMaxUnavailable(intstr.FromInt(1)).
		WithSelector(applymeta.LabelSelector().WithMatchLabels(selector(spec))).
		WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow)
	return applypolicy.PodDisruptionBudget(spec.Workload(), s.Namespace).WithLabels(Labels(spec)).WithSpec(budget)
}

// OtherDisruptionBudget returns the name of a PodDisruptionBudget of somebody else that selects the app's Pods or has
// the app's name, or "". norn makes none then: Kubernetes evicts no Pod that two of them select (k8s.io/kubernetes,
// pkg/registry/core/pod/storage/eviction.go).
func OtherDisruptionBudget(all []policyv1.PodDisruptionBudget, spec *infraspec.Spec) string {
	pods := PodLabels(spec)
	if conf, err := Deployment(spec, Settings{}, nil); err == nil { // the infraspec and its overlay may add some
		pods = conf.Spec.Template.Labels
	}
	i := slices.IndexFunc(all, func(b policyv1.PodDisruptionBudget) bool {
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		selects := err == nil && selector.Matches(labels.Set(pods))
		return (selects || b.Name == spec.Workload()) && !metadata.IsOwned(&b, spec.App)
	})
	if i < 0 {
		return ""
	}
	return all[i].Name
}
