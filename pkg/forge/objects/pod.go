package objects

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
)

// podFor returns the Pod that all roles share, with the overlay laid over it.
func podFor(spec *infraspec.Spec, s Settings, start *Start) (*applycore.PodSpecApplyConfiguration, error) {
	pod, err := plainPod(spec, s, start)
	if err != nil {
		return nil, err
	}
	return overlaidPod(pod, spec)
}

// plainPod returns the Pod without the overlay: one container, named after the app, and the app's volumes.
func plainPod(spec *infraspec.Spec, s Settings, start *Start) (*applycore.PodSpecApplyConfiguration, error) {
	container, err := containerFor(spec, s, start)
	if err != nil {
		return nil, err
	}
	pod := withStop(applycore.PodSpec().WithContainers(container).WithVolumes(volumes(spec)...), spec)
	withSecretFiles(pod, spec)
	withPodSettings(pod, spec, s)
	return pod, nil
}

func containerFor(spec *infraspec.Spec, s Settings, start *Start) (*applycore.ContainerApplyConfiguration, error) {
	c := applycore.Container().
		WithName(spec.App).
		WithEnv(environment(spec, s)...).
		WithVolumeMounts(mounts(spec)...)
	if len(spec.Command) > 0 {
		c.WithCommand(EscapeDollars(spec.Command)...)
	}
	if spec.Role == infraspec.Webserver {
		port := int32(spec.Port) //nolint:gosec // infraspec has checked the range
		c.WithPorts(applycore.ContainerPort().WithContainerPort(port).WithProtocol(corev1.ProtocolTCP))
	}
	withProbes(c, spec)
	if r := resources(spec.Resources); r != nil {
		c.WithResources(r)
	}
	if start != nil {
		policy, err := PullPolicy(start.Image)
		if err != nil {
			return nil, err
		}
		c.WithImage(start.Image).WithImagePullPolicy(policy)
	}
	return c, nil
}

// EscapeDollars returns texts for a container's command that reach the container as written; see literal.
func EscapeDollars(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = literal(text)
	}
	return out
}

// literal returns a text for a container's command or environment that reaches the container as written. Kubernetes
// expands $(NAME) there to a variable and $$ to $ (kubernetes.io: Define Dependent Environment Variables).
func literal(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// resources converts requests and limits. infraspec has checked that they are valid quantities.
func resources(r infraspec.Resources) *applycore.ResourceRequirementsApplyConfiguration {
	if len(r.Requests) == 0 && len(r.Limits) == 0 {
		return nil
	}
	list := func(m map[string]infraspec.Quantity) corev1.ResourceList {
		out := corev1.ResourceList{}
		for name, q := range m {
			out[corev1.ResourceName(name)] = q.Value()
		}
		return out
	}
	conf := applycore.ResourceRequirements()
	if len(r.Requests) > 0 {
		conf.WithRequests(list(r.Requests))
	}
	if len(r.Limits) > 0 {
		conf.WithLimits(list(r.Limits))
	}
	return conf
}
