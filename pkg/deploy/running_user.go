package deploy

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// CheckRunningUser returns an error if a forge would forbid the Pods to run as root, and the image that a deploy has
// set would. Nothing could be restored then: a namespace that enforces the Pod Security Standard restricted refuses the
// Pods of the old template too. CheckRunningUser passes the registry's login to hide, unless that is nil.
func CheckRunningUser(
	ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, s objects.Settings, hide func(name, value string),
) error {
	needs, err := objects.NeedsUser(spec, s)
	if err != nil || !needs {
		return err
	}
	pod, err := deployedPod(ctx, cluster, spec, s.Namespace)
	if err != nil || pod == nil || setsUser(*pod, spec.App) || forbidsRoot(*pod, spec.App) {
		return err
	}
	image := metadata.ImageOf(*pod, spec.App)
	return refuseUser(remoteUser(ctx, image, "", hide), spec, s.Namespace, "image "+image)
}

// deployedPod returns the Pod template of the app's workload, or nil before the first deploy.
func deployedPod(
	ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, ns string,
) (pod *corev1.PodSpec, err error) {
	switch spec.Role {
	case infraspec.Webserver, infraspec.Worker:
		var d *appsv1.Deployment
		if d, err = cluster.GetDeployment(ctx, ns, spec.App); err == nil && objects.Deployed(d) {
			pod = &d.Spec.Template.Spec
		}
	case infraspec.Cron:
		var c *batchv1.CronJob
		if c, err = cluster.GetCronJob(ctx, ns, spec.App); err == nil && objects.Deployed(c) {
			pod = &c.Spec.JobTemplate.Spec.Template.Spec
		}
	case infraspec.Function: // a call names its image
	}
	if k8s.IsNotFound(err) {
		err = nil
	}
	return pod, err
}

// forbidsRoot reports whether the app's container already must not run as root.
func forbidsRoot(pod corev1.PodSpec, app string) bool {
	if c := metadata.AppContainer(&pod, app); c != nil && c.SecurityContext != nil {
		if nonRoot := c.SecurityContext.RunAsNonRoot; nonRoot != nil {
			return *nonRoot
		}
	}
	return pod.SecurityContext != nil && pod.SecurityContext.RunAsNonRoot != nil && *pod.SecurityContext.RunAsNonRoot
}
