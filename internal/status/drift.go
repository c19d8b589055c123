package status

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
)

// liveObjects holds the objects of one app in the cluster. deployment and cronJob may be nil.
type liveObjects struct {
	deployment *appsv1.Deployment
	cronJob    *batchv1.CronJob
	services   []corev1.Service
	claims     []corev1.PersistentVolumeClaim
}

// differences returns the differences between an app's objects and its infraspec, each as "Kind name: field".
func differences(have liveObjects, spec *infraspec.Spec, s objects.Settings) ([]string, error) {
	d := &drifts{}
	switch {
	case have.deployment != nil && spec.Role.Standing():
		conf, _, err := objects.DeploymentFor(have.deployment, spec, s)
		if err != nil {
			return nil, err
		}
		d.compare("Deployment "+spec.App, conf, have.deployment)
	case have.cronJob != nil && spec.Role == infraspec.Cron:
		conf, _, err := objects.CronJobFor(have.cronJob, spec, s)
		if err != nil {
			return nil, err
		}
		d.compare("CronJob "+spec.App, conf, have.cronJob)
	case spec.Role != infraspec.Function:
		d.found = append(d.found, "the role is now "+string(spec.Role))
	}
	d.services(have.services, spec, s)
	for _, conf := range objects.Claims(spec, s) {
		what := "PersistentVolumeClaim " + *conf.Name
		i := slices.IndexFunc(have.claims, func(c corev1.PersistentVolumeClaim) bool { return c.Name == *conf.Name })
		if i < 0 {
			d.found = append(d.found, what+" is missing")
			continue
		}
		d.compare(what, conf, &have.claims[i])
	}
	return d.found, d.err
}

type drifts struct {
	found []string
	err   error
}

func (d *drifts) services(have []corev1.Service, spec *infraspec.Spec, s objects.Settings) {
	conf := objects.Service(spec, s)
	exists := false
	for i := range have {
		if conf != nil && have[i].Name == *conf.Name {
			exists = true
			d.compare("Service "+have[i].Name, conf, &have[i])
			continue
		}
		d.found = append(d.found, "Service "+have[i].Name+" is no longer in the infraspec")
	}
	if conf != nil && !exists {
		d.found = append(d.found, "Service "+*conf.Name+" is missing")
	}
}

func (d *drifts) compare(what string, desired any, live metav1.Object) {
	fields, err := drift.Fields(desired, live)
	if err != nil && d.err == nil {
		d.err = err
	}
	for _, f := range fields {
		d.found = append(d.found, what+": "+drift.ShortField(f))
	}
}
