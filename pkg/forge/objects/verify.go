package objects

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// TargetVariable is the environment variable of the verify Job with the address of the Pod to examine, as host:port.
const TargetVariable = "NORN_TARGET"

// VerifyJob is the value of the JobLabel of verify's Job, and of the Pod that it examines.
const VerifyJob = "verify"

// Verify returns the Pod of the Job that runs verify in image. target is the address of the Pod to examine, or "" for
// an app without a port. Apart from that, the Pod is like that of a migration.
func Verify(spec *infraspec.Spec, s Settings, image, target string) (*corev1.PodSpec, error) {
	pod, err := jobPod(spec, s, image, spec.Verify)
	if err != nil {
		return nil, err
	}
	c := &pod.Containers[0]
	c.Env = slices.DeleteFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == TargetVariable })
	if target != "" {
		c.Env = append(c.Env, corev1.EnvVar{Name: TargetVariable, Value: literal(target)})
	}
	return pod, nil
}

// VerifyTarget returns the address of a Pod of the app for TargetVariable, or "" if the app has no port. A worker has
// one if its healthcheck does.
func VerifyTarget(spec *infraspec.Spec, pod *corev1.Pod) string {
	port := spec.Port
	if spec.Role != infraspec.Webserver {
		port = spec.Healthcheck.Port
	}
	if port == 0 {
		return ""
	}
	return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(port))
}

// Recreates reports whether the running Pods of an app end before those of a new version start.
func Recreates(spec *infraspec.Spec, s Settings) (bool, error) {
	conf, err := Deployment(spec, s, nil)
	if err != nil {
		return false, err
	}
	return *conf.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType, nil
}

// SelectedError reports that a Service selects every Pod of norn, whatever its app.
type SelectedError struct{ Service, Selector, App string }

// Error names the Service.
func (e *SelectedError) Error() string {
	return fmt.Sprintf("Service %s selects every Pod of norn (%s), and would send requests to the Pod for verify",
		e.Service, e.Selector)
}

// Hint returns how to narrow the selector.
func (e *SelectedError) Hint() string {
	return fmt.Sprintf("add an app's name to the selector, such as %s=%s", metadata.AppLabel, e.App)
}

// VerifyPod returns a Pod of a new version that gets no requests, made from the version's Pod template. Like the Pods
// of Jobs, it has only the labels that the infraspec and others have set, and not those by which Services and
// controllers find the app's Pods. If one of services, all of the namespace, would still select it, it loses the labels
// of that selector too, or VerifyPod returns a *SelectedError. The Pod ends by itself after lifetime.
func VerifyPod(
	spec *infraspec.Spec, template *corev1.PodTemplateSpec, services []corev1.Service, lifetime time.Duration,
) (*corev1.Pod, error) {
	all := OwnMeta(template.Labels)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, JobLabels(spec.App, VerifyJob))
	all[metadata.VerifiesLabel] = spec.App
	if err := unselect(all, services); err != nil {
		return nil, err
	}
	seconds := int64(lifetime.Seconds())
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Labels: all, Annotations: OwnMeta(template.Annotations)},
		Spec:       *template.Spec.DeepCopy(),
	}
	if names, ok := template.Annotations[metadata.ReferencesAnnotation]; ok { // whose values norn hides in its log
		metav1.SetMetaDataAnnotation(&pod.ObjectMeta, metadata.ReferencesAnnotation, names)
	}
	pod.Spec.ActiveDeadlineSeconds = &seconds
	for _, c := range allContainers(&pod.Spec) {
		for k := range c.Ports {
			c.Ports[k].HostPort = 0 // it is the running Pod's
		}
		// Nothing sends requests to the Pod, so it ends at once. A container's own hook may have work to do.
		if hooks := c.Lifecycle; hooks != nil && hooks.PreStop != nil && hooks.PreStop.Sleep != nil {
			hooks.PreStop = nil
		}
	}
	return pod, nil
}

// allContainers returns the containers of a Pod, also its init containers.
func allContainers(pod *corev1.PodSpec) []*corev1.Container {
	var all []*corev1.Container
	for _, list := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range list {
			all = append(all, &list[i])
		}
	}
	return all
}

// unselect removes the labels by which one of services selects a Pod with these labels.
func unselect(all map[string]string, services []corev1.Service) error {
	for i := range services {
		selector := services[i].Spec.Selector
		if len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(labels.Set(all)) {
			continue
		}
		removed := false
		for key := range selector {
			if key != metadata.ManagedByLabel && !strings.HasPrefix(key, "norn/") {
				delete(all, key)
				removed = true
			}
		}
		if !removed {
			text := metav1.FormatLabelSelector(metav1.SetAsLabelSelector(selector))
			return &SelectedError{services[i].Name, text, all[metadata.VerifiesLabel]}
		}
	}
	return nil
}

// WithoutMissingClaims replaces the claims of a Pod that do not exist yet by empty volumes, as they will be.
func WithoutMissingClaims(pod *corev1.PodSpec, exists func(claim string) (bool, error)) error {
	for i := range pod.Volumes {
		source := &pod.Volumes[i].VolumeSource
		if source.PersistentVolumeClaim == nil {
			continue
		}
		found, err := exists(source.PersistentVolumeClaim.ClaimName)
		if err != nil {
			return err
		}
		if !found {
			*source = corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}
		}
	}
	return nil
}
