package objects

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// keepOthers removes from conf the defaults that keep requests from being lost, where somebody else has set them in
// live, such as with kubectl patch. A preStop hook cannot have two handlers, for example. A key in the infraspec, and
// what its overlay sets instead of a default, take precedence.
func keepOthers(
	conf *applyapps.DeploymentApplyConfiguration, live *appsv1.Deployment, spec *infraspec.Spec, s Settings,
) {
	const template = "f:template"
	pod, defaults := conf.Spec.Template.Spec, withStop(applycore.PodSpec().WithContainers(applycore.Container()), spec)
	withoutLoss(defaults, spec, s)
	for i := range pod.Containers {
		c := &pod.Containers[i]
		key := fmt.Sprintf(`k:{"name":%q}`, *c.Name)
		if !spec.Has("drain") && setByOthers(live, template, "f:spec", "f:containers", key, "f:lifecycle", "f:preStop") {
			dropHook(c, &defaults.Containers[0])
		}
	}
	const grace = "f:terminationGracePeriodSeconds"
	want, have := pod.TerminationGracePeriodSeconds, live.Spec.Template.Spec.TerminationGracePeriodSeconds
	longer := want != nil && have != nil && *have > *want && // kubectl rollout undo may bring back a shorter one
		reflect.DeepEqual(want, defaults.TerminationGracePeriodSeconds)
	if longer && !spec.Has("drain") && !spec.Has("stop") && setByOthers(live, template, "f:spec", grace) {
		pod.TerminationGracePeriodSeconds = nil
	}
	if setByOthers(live, template, "f:spec", "f:topologySpreadConstraints") {
		pod.TopologySpreadConstraints = slices.DeleteFunc(pod.TopologySpreadConstraints,
			func(c applycore.TopologySpreadConstraintApplyConfiguration) bool {
				return len(defaults.TopologySpreadConstraints) > 0 && reflect.DeepEqual(c, defaults.TopologySpreadConstraints[0])
			})
	}
	if setByOthers(live, "f:strategy", "f:rollingUpdate") {
		dropSurge(conf.Spec.Strategy)
	}
}

// dropHook removes the default preStop hook from a container.
func dropHook(c, defaults *applycore.ContainerApplyConfiguration) {
	if c.Lifecycle == nil || defaults.Lifecycle == nil ||
		!reflect.DeepEqual(c.Lifecycle.PreStop, defaults.Lifecycle.PreStop) {
		return
	}
	if c.Lifecycle.PreStop = nil; *c.Lifecycle == (applycore.LifecycleApplyConfiguration{}) {
		c.Lifecycle = nil
	}
}

// dropSurge removes the default of withSurgeFirst from a strategy.
func dropSurge(s *applyapps.DeploymentStrategyApplyConfiguration) {
	if s.RollingUpdate == nil || s.RollingUpdate.MaxUnavailable == nil || *s.RollingUpdate.MaxUnavailable != surgeFirst {
		return
	}
	if s.RollingUpdate.MaxUnavailable = nil; s.RollingUpdate.MaxSurge == nil {
		s.RollingUpdate = nil
	}
}

// setByOthers reports whether a field manager other than norn's has set a field of an object's spec, and norn has not.
// The path is in the FieldsV1 format (kubernetes.io: Server-Side Apply, Field management).
func setByOthers(live metav1.Object, path ...string) bool {
	others := false
	for _, m := range live.GetManagedFields() {
		if m.Subresource != "" || m.FieldsV1 == nil || !hasField(m.FieldsV1.GetRawBytes(), path) {
			continue
		}
		if m.Manager == metadata.ForgeManager {
			return false
		}
		others = others || m.Manager != metadata.DeployManager
	}
	return others
}

// hasField reports whether a set of fields contains a path in the object's spec.
func hasField(fields []byte, path []string) bool {
	var set map[string]json.RawMessage
	if json.Unmarshal(fields, &set) != nil {
		return false
	}
	next, ok := set["f:spec"]
	for _, key := range path {
		set = nil
		if !ok || json.Unmarshal(next, &set) != nil {
			return false
		}
		next, ok = set[key]
	}
	return ok
}
