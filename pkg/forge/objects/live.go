package objects

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applybatch "k8s.io/client-go/applyconfigurations/batch/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// DeploymentFor returns the Deployment as forge applies it over live, which is nil if there is none. It leaves out the fields
// that a deploy or an autoscaler owns. The text says in one line how a new Deployment starts, or is "".
func DeploymentFor(live *appsv1.Deployment, spec *infraspec.Spec, s Settings) (*applyapps.DeploymentApplyConfiguration, string, error) {
	var start *Start
	detail, image := "", ""
	if live != nil {
		image = metadata.ImageOf(live.Spec.Template.Spec, spec.App)
	}
	switch {
	case live != nil && Deployed(live):
	case s.Image != "":
		start, detail = &Start{Image: s.Image}, "starts with "+s.Image
	case image != "" && (!live.Spec.Paused || image != BeforeFirstDeploy(spec.App).Image): // forged with --image before, or adopted
		start = &Start{Image: image, Paused: live.Spec.Paused}
	default:
		start, detail = BeforeFirstDeploy(spec.App), "paused until the first deploy"
	}
	conf, err := Deployment(spec, s, start)
	if err == nil && live != nil && autoscaled(live) {
		conf.Spec.Replicas = nil
	}
	return conf, detail, err
}

// Deployed reports whether a deploy has set the image: then its field manager has applied. (A restart only patches.)
func Deployed(o metav1.Object) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool {
		return m.Manager == metadata.DeployManager && m.Operation == metav1.ManagedFieldsOperationApply
	})
}

// autoscaled reports whether a controller sets the replicas, which are its own then. A person's kubectl scale is no such thing.
func autoscaled(d *appsv1.Deployment) bool { return Scaler(d) != "" }

// Scaler returns the field manager of the controller that sets the replicas, or "".
func Scaler(d *appsv1.Deployment) string {
	for _, m := range d.ManagedFields {
		if m.Subresource == "scale" && !strings.HasPrefix(m.Manager, "kubectl") {
			return m.Manager
		}
	}
	return ""
}

// CronJobFor returns the CronJob as forge applies it over live, as DeploymentFor does for Deployments.
func CronJobFor(live *batchv1.CronJob, spec *infraspec.Spec, s Settings) (*applybatch.CronJobApplyConfiguration, string, error) {
	var start *Start
	detail := spec.Schedule
	switch {
	case live != nil && Deployed(live):
	case s.Image != "":
		start = &Start{Image: s.Image}
	case live != nil && (live.Spec.Suspend == nil || !*live.Spec.Suspend):
		start = &Start{Image: metadata.ImageOf(live.Spec.JobTemplate.Spec.Template.Spec, spec.App)}
	default:
		start, detail = BeforeFirstDeploy(spec.App), "suspended until the first deploy"
	}
	conf, err := CronJob(spec, s, start)
	return conf, detail, err
}
