package rollout

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// appContainer returns the name of an app's own container, or "" if it is not named after the app. The label by which a
// Service finds the Pods names the app, or its process, and norn's Jobs lack it.
func appContainer(p *corev1.Pod) string {
	for _, label := range []string{"app", "app.kubernetes.io/name"} { // metadata.AppLabel, and norn's own
		named := func(c corev1.Container) bool { return c.Name == p.Labels[label] }
		if slices.ContainsFunc(p.Spec.Containers, named) {
			return p.Labels[label]
		}
	}
	return ""
}

// remark returns what messages say about a container that is not the app's own, or "" for the app's own. If the
// Deployment is known, its other containers are known too, and their names need no remark.
func remark(o Observation, p *corev1.Pod, name string) string {
	own := appContainer(p)
	inTemplate := func(pod corev1.PodSpec) bool {
		return slices.ContainsFunc(slices.Concat(pod.InitContainers, pod.Containers), func(c corev1.Container) bool {
			return c.Name == name
		})
	}
	switch {
	case own == "" || name == "" || name == own:
		return ""
	case o.Deployment == nil:
		return ", which is not the app's own,"
	case inTemplate(o.Deployment.Spec.Template.Spec):
		return ""
	}
	return ", which was injected into the Pod,"
}

// attributed returns a verdict about a container whose message says whose the container is.
func attributed(o Observation, p *corev1.Pod, v Verdict) Verdict {
	v.remark = remark(o, p, v.Container)
	if v.remark == "" || v.Message == "" {
		return v
	}
	v.Foreign = true
	name := "container " + v.Container
	if before, after, found := strings.Cut(v.Message, name+" "); found {
		v.Message = before + name + v.remark + " " + after
	} else {
		v.Message = name + strings.TrimSuffix(v.remark, ",") + ": " + v.Message
	}
	return v
}

// unreadyContainer returns the name of the container that keeps a Pod from being ready: the app's own, unless only
// others are not ready. The app's container does not start before a native sidecar has.
func unreadyContainer(p *corev1.Pod) string {
	isUnready := func(s corev1.ContainerStatus) bool { return !s.Ready }
	if i := slices.IndexFunc(p.Status.InitContainerStatuses, isUnready); i >= 0 {
		return p.Status.InitContainerStatuses[i].Name
	}
	own := firstContainer(p)
	unready := slices.Clone(p.Status.ContainerStatuses)
	unready = slices.DeleteFunc(unready, func(s corev1.ContainerStatus) bool { return s.Ready })
	if len(unready) == 0 || slices.ContainsFunc(unready, func(s corev1.ContainerStatus) bool { return s.Name == own }) {
		return own
	}
	return unready[0].Name
}
