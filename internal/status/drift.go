package status

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// liveObjects holds the objects of one app in the cluster.
type liveObjects struct {
	deployments []appsv1.Deployment
	cronJobs    []batchv1.CronJob
	services    []corev1.Service
	claims      []corev1.PersistentVolumeClaim

	disruptions disruptions
	routes      routes
}

// disruptions are the PodDisruptionBudgets of an app and of others.
type disruptions struct {
	own, others []policyv1.PodDisruptionBudget
	denied      bool // the user cannot list them
}

// differences returns the differences between an app's objects and its infraspec, each as "Kind name: field".
func differences(have liveObjects, spec *infraspec.Spec, s objects.Settings) ([]string, error) {
	d := &drifts{}
	for _, w := range spec.Workloads() {
		if err := d.workload(have, w, s); err != nil {
			return nil, err
		}
	}
	d.dropped(have, spec)
	d.services(have.services, spec, s)
	d.routes(have.routes, spec, s)
	for _, w := range spec.Workloads() {
		d.disruptions(have, w, s)
	}
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

// workload compares the workload of one process.
func (d *drifts) workload(have liveObjects, spec *infraspec.Spec, s objects.Settings) error {
	name := spec.Workload()
	live, cron := find(have.deployments, spec.App, name), find(have.cronJobs, spec.App, name)
	switch {
	case live != nil && spec.Role.Standing():
		conf, _, err := objects.DeploymentFor(live, spec, s)
		if err != nil {
			return err
		}
		d.compare("Deployment "+name, conf, live)
	case cron != nil && spec.Role == infraspec.Cron:
		conf, _, err := objects.CronJobFor(cron, spec, s)
		if err != nil {
			return err
		}
		d.compare("CronJob "+name, conf, cron)
	case live == nil && cron == nil && spec.Process != "":
		d.found = append(d.found, "process "+spec.Process+" is missing")
	case spec.Process != "":
		d.found = append(d.found, "the role of process "+spec.Process+" is now "+string(spec.Role))
	case spec.Role != infraspec.Function:
		d.found = append(d.found, "the role is now "+string(spec.Role))
	}
	return nil
}

// dropped names the processes that the infraspec no longer has, unless they are being deleted.
func (d *drifts) dropped(have liveObjects, spec *infraspec.Spec) {
	inv := &k8s.Inventory{Deployments: standing(have.deployments), CronJobs: standing(have.cronJobs)}
	for _, p := range processes(Local{Name: spec.App}, inv) {
		if spec.ProcessSpec(p.Name) == nil {
			d.found = append(d.found, "process "+p.Name+" is no longer in the infraspec")
		}
	}
}

// standing returns the objects that are not being deleted.
func standing[T any, P object[T]](list []T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(o T) bool { return P(&o).GetDeletionTimestamp() != nil })
}

func (d *drifts) services(have []corev1.Service, spec *infraspec.Spec, s objects.Settings) {
	wanted := map[string]bool{}
	var missing []string
	for _, w := range spec.Workloads() {
		conf := objects.Service(w, s)
		if conf == nil {
			continue
		}
		wanted[*conf.Name] = true
		if i := slices.IndexFunc(have, func(o corev1.Service) bool { return o.Name == *conf.Name }); i >= 0 {
			d.compare("Service "+*conf.Name, conf, &have[i])
		} else {
			missing = append(missing, "Service "+*conf.Name+" is missing")
		}
	}
	for i := range have {
		if !wanted[have[i].Name] {
			d.found = append(d.found, "Service "+have[i].Name+" is no longer in the infraspec")
		}
	}
	d.found = append(d.found, missing...)
}

func (d *drifts) disruptions(have liveObjects, spec *infraspec.Spec, s objects.Settings) {
	live := find(have.deployments, spec.App, spec.Workload())
	scaled := live != nil && metadata.Scaler(live) != ""
	conf, what := objects.DisruptionBudget(spec, s, scaled), objects.KindDisruptionBudget+" "+spec.Workload()
	if objects.OtherDisruptionBudget(have.disruptions.others, spec) != "" {
		conf = nil
	}
	own := have.disruptions.own
	i := slices.IndexFunc(own, func(b policyv1.PodDisruptionBudget) bool { return b.Name == spec.Workload() })
	switch {
	case have.disruptions.denied || conf == nil && i < 0:
	case conf == nil:
		d.found = append(d.found, what+" is no longer needed")
	case i < 0:
		d.found = append(d.found, what+" is missing")
	default:
		d.compare(what, conf, &own[i])
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
