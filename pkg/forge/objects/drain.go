package objects

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"

	"norn/pkg/infraspec"
)

// DrainSince is the minor version of Kubernetes 1 since which a Pod can sleep before it stops (PodLifecycleSleepAction,
// on by default).
const DrainSince = 30

// serves reports whether a Service sends requests to the app's Pods.
func serves(spec *infraspec.Spec) bool {
	return spec.Role == infraspec.Webserver && spec.Hosts.Internal != ""
}

// Drain returns how many seconds an old Pod still answers after it left the Service. An app with the Recreate strategy
// drains only on request: its old Pods all leave the Service at once, so waiting only makes the outage longer.
func Drain(spec *infraspec.Spec) int32 {
	if !serves(spec) || strategy(spec) == appsv1.RecreateDeploymentStrategyType && !spec.Has("drain") {
		return 0
	}
	return seconds(spec.Drain.Duration())
}

// defaultStop is the terminationGracePeriodSeconds of Kubernetes.
const defaultStop = 30

// withStop sets how long a Pod may take to end.
func withStop(pod *applycore.PodSpecApplyConfiguration, spec *infraspec.Spec) *applycore.PodSpecApplyConfiguration {
	if stop := seconds(spec.Stop.Duration()); stop > 0 && stop != defaultStop {
		pod.WithTerminationGracePeriodSeconds(int64(stop))
	}
	return pod
}

// withoutLoss sets what keeps a web server's requests from being lost while its Pods are replaced. See also
// withSurgeFirst.
//
//   - An old Pod sleeps before it gets SIGTERM, and answers meanwhile: kube-proxy and proxies learn only after a moment
//     that it has left the Service (kubernetes.io: Pod Lifecycle, Termination of Pods). Kubernetes counts the sleep as
//     part of the time that the Pod may take to end.
//   - The Pods spread over the nodes, so a lost node ends few of them. A claim binds them to one node instead.
func withoutLoss(pod *applycore.PodSpecApplyConfiguration, spec *infraspec.Spec, s Settings) {
	if !serves(spec) {
		return
	}
	if drain := Drain(spec); drain > 0 && !s.NoDrain {
		pod.Containers[0].WithLifecycle(applycore.Lifecycle().WithPreStop(sleep(drain)))
		pod.WithTerminationGracePeriodSeconds(int64(drain + seconds(spec.Stop.Duration())))
	}
	if strategy(spec) == appsv1.RecreateDeploymentStrategyType {
		return
	}
	pod.WithTopologySpreadConstraints(applycore.TopologySpreadConstraint().
		WithMaxSkew(1).
		WithTopologyKey(corev1.LabelHostname).
		WithWhenUnsatisfiable(corev1.ScheduleAnyway).
		WithLabelSelector(applymeta.LabelSelector().WithMatchLabels(selector(spec))))
}

func sleep(seconds int32) *applycore.LifecycleHandlerApplyConfiguration {
	return applycore.LifecycleHandler().WithSleep(applycore.SleepAction().WithSeconds(int64(seconds)))
}

// withDrainedSidecars lets the containers that an overlay adds answer as long as the app's: a proxy that ends at once
// would lose the requests that it passes on. A container with its own preStop hook keeps it. Kubernetes itself ends
// sidecars among the init containers last.
func withDrainedSidecars(pod *applycore.PodSpecApplyConfiguration, spec *infraspec.Spec, s Settings) {
	drain := Drain(spec)
	if drain == 0 || s.NoDrain {
		return
	}
	for i := range pod.Containers {
		c := &pod.Containers[i]
		if *c.Name == spec.App {
			continue
		}
		if c.Lifecycle == nil {
			c.WithLifecycle(applycore.Lifecycle())
		}
		if c.Lifecycle.PreStop == nil {
			c.Lifecycle.WithPreStop(sleep(drain))
		}
	}
}

// surgeFirst is the maxUnavailable of a web server.
var surgeFirst = intstr.FromInt(0)

// withSurgeFirst makes a new Pod of a web server available before an old one ends.
func withSurgeFirst(d *applyapps.DeploymentSpecApplyConfiguration, spec *infraspec.Spec) {
	if serves(spec) && strategy(spec) != appsv1.RecreateDeploymentStrategyType {
		d.Strategy.WithRollingUpdate(applyapps.RollingUpdateDeployment().WithMaxUnavailable(surgeFirst))
	}
}
