package objects

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applybatch "k8s.io/client-go/applyconfigurations/batch/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// DeploymentFor returns the Deployment that forge applies over live, which is nil if none exists. It omits the fields
// that a deploy or an autoscaler owns. The returned string describes in one line how a new Deployment starts, or is "".
func DeploymentFor(
	live *appsv1.Deployment, spec *infraspec.Spec, s Settings,
) (*applyapps.DeploymentApplyConfiguration, string, error) {
	var start *Start
	detail, image := "", ""
	if live != nil {
		image = metadata.ImageOf(live.Spec.Template.Spec, spec.App)
	}
	switch {
	case live != nil && Deployed(live) && hasContainer(live.Spec.Template.Spec, spec.App):
	case s.Image != "":
		start, detail = &Start{Image: s.Image}, "starts with "+s.Image
	case hasOwnImage(live, spec.App, image):
		start = &Start{Image: image, Paused: live.Spec.Paused}
	default:
		start, detail = BeforeFirstDeploy(spec.App), "paused until the first deploy"
	}
	conf, err := Deployment(spec, s, start)
	if err == nil && live != nil && metadata.Scaler(live) != "" {
		conf.Spec.Replicas = nil
	}
	if err == nil && live != nil && metadata.IsOwned(live, spec.App) { // an adoption takes everything over
		keepOthers(conf, live, spec, s)
	}
	return conf, detail, err
}

// hasContainer reports whether a Pod has a container of this name. A workload that was another app's until its labels
// changed has none with the name of its new app, so the new container needs an image.
func hasContainer(pod corev1.PodSpec, name string) bool {
	return slices.ContainsFunc(pod.Containers, func(c corev1.Container) bool { return c.Name == name })
}

// hasOwnImage reports whether a Deployment has an image that no deploy has set: from forge --image, or from before an
// adoption.
func hasOwnImage(live *appsv1.Deployment, app, image string) bool {
	return image != "" && (!live.Spec.Paused || image != BeforeFirstDeploy(app).Image)
}

// Deployed reports whether a deploy has set the image. Its field manager then has an apply entry; a restart only
// patches.
func Deployed(o metav1.Object) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool {
		return m.Manager == metadata.DeployManager && m.Operation == metav1.ManagedFieldsOperationApply
	})
}

// CronJobFor returns the CronJob that forge applies over live; see DeploymentFor.
func CronJobFor(
	live *batchv1.CronJob, spec *infraspec.Spec, s Settings,
) (*applybatch.CronJobApplyConfiguration, string, error) {
	var start *Start
	detail, image := spec.Schedule, ""
	if live != nil {
		image = metadata.ImageOf(live.Spec.JobTemplate.Spec.Template.Spec, spec.App)
	}
	switch {
	case live != nil && Deployed(live) && hasContainer(live.Spec.JobTemplate.Spec.Template.Spec, spec.App):
	case s.Image != "":
		start = &Start{Image: s.Image}
	case image != "" && (live.Spec.Suspend == nil || !*live.Spec.Suspend):
		start = &Start{Image: image}
	default:
		start, detail = BeforeFirstDeploy(spec.App), "suspended until the first deploy"
	}
	conf, err := CronJob(spec, s, start)
	return conf, detail, err
}
