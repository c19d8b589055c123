package logs

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s/metadata"
)

// managedContainers returns the names of the app's containers that norn manages. The app's own container is one of
// them, whoever has created it.
func (s *session) managedContainers(ctx context.Context, seen workload) []string {
	if seen.Deployment != nil {
		return append(metadata.ManagedContainers(seen.Deployment), s.opts.App)
	}
	several := func(p *corev1.Pod) bool { return len(containerNames(p)) > 1 }
	if s.ofRuns[seen.name] == nil && slices.ContainsFunc(seen.Pods, several) {
		names := []string{s.opts.App}
		if cron, err := s.cluster.GetCronJob(ctx, s.opts.Namespace, seen.name); err == nil {
			names = append(names, metadata.ManagedContainers(cron)...)
		}
		if s.ofRuns == nil {
			s.ofRuns = map[string][]string{}
		}
		s.ofRuns[seen.name] = names
	}
	return s.ofRuns[seen.name]
}

// isWanted returns a function that reports whether a Pod's container is selected, given the names that norn manages. If
// a Pod has none of those, norn hides none of its containers.
func (c *ContainerFilter) isWanted(p *corev1.Pod, managed []string) func(name string) bool {
	isManaged := func(name string) bool { return slices.Contains(managed, name) }
	switch {
	case len(c.Names) > 0:
		return func(name string) bool { return slices.Contains(c.Names, name) }
	case c.All || !slices.ContainsFunc(containerNames(p), isManaged):
		return func(string) bool { return true }
	}
	return isManaged
}

// namesContainers reports whether the lines of a Pod name their container: if lines of several are shown, or if the
// user has chosen one of several.
func (c *ContainerFilter) namesContainers(p *corev1.Pod, isWanted func(string) bool) bool {
	names := containerNames(p)
	if len(c.Names) > 0 {
		return len(names) > 1
	}
	return len(slices.DeleteFunc(names, func(name string) bool { return !isWanted(name) })) > 1
}

// containerNames returns the names of all containers of a Pod.
func containerNames(p *corev1.Pod) []string {
	var names []string
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		names = append(names, c.Name)
	}
	for _, c := range p.Spec.EphemeralContainers {
		names = append(names, c.Name)
	}
	return names
}
