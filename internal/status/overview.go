package status

import (
	"cmp"
	"errors"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// State is the state of an app, in one or two words.
type State string

// The states of an app.
const (
	Invalid     State = "invalid"      // its infraspec is invalid
	Unknown     State = "unknown"      // no cluster is available
	NotForged   State = "not forged"   // it exists only on disk
	NotDeployed State = "not deployed" // forged, but never deployed
	Running     State = "running"      // all desired pods are available
	NotReady    State = "not ready"    // some desired pods are not available
	Canary      State = "canary"       // the first Pods of a new version run beside those of the old one
	Stopped     State = "scaled to 0"
	Scheduled   State = "scheduled"   // a cron app
	Suspended   State = "suspended"   // a cron app whose schedule somebody, or a rollback, has suspended
	Terminating State = "terminating" // a process that is being deleted
	Callable    State = "callable"    // a function, which has no pods between calls
)

// App describes an app in one line.
type App struct {
	Name string `json:"app"`
	// Namespace is set if the apps of an overview may be in several namespaces.
	Namespace string `json:"namespace,omitempty"`
	Workload
	Environment string   `json:"environment,omitempty"` // that the objects in the cluster belong to
	Hosts       []string `json:"hosts,omitempty"`
	Drift       []string `json:"drift,omitempty"` // differences between cluster and infraspec
	Path        string   `json:"path,omitempty"`  // of the infraspec, if it is on this machine
	Problem     string   `json:"problem,omitempty"`
	// Warnings say what will go wrong although the app may be running.
	Warnings []string `json:"warnings,omitempty"`
	// Processes are the processes of the app other than the main one, by name.
	Processes []Process `json:"processes,omitempty"`
}

// Workload describes the Pods of a process of an app.
type Workload struct {
	Role    string     `json:"role" redact:"-"`
	State   State      `json:"state" redact:"-"`
	Ready   int        `json:"ready"`
	Desired int        `json:"desired"`
	Version string     `json:"version,omitempty"` // commit or image
	Since   *time.Time `json:"since,omitempty"`   // when the rollout last progressed, or the object was created
}

// Overview returns the apps on disk and in the inventory, sorted by name. A nil inventory means that no cluster is
// available.
func Overview(locals []Local, inv *k8s.Inventory, s objects.Settings) []App {
	var out []App
	seen := map[string]bool{}
	for _, l := range locals {
		app := App{Name: l.Name, Path: l.Path, Problem: l.Problem, Workload: Workload{State: Invalid}}
		if l.Spec != nil {
			app.Role, app.Hosts, app.State = string(l.Spec.Role), hosts(l.Spec), Unknown
		}
		app.Processes = processes(l, inv)
		app.Environment = environmentOf(inv, l.Name)
		spec, why := compared(l, app.Environment)
		if spec != nil && spec != l.Spec {
			l.Spec, app.Role, app.Hosts = spec, string(spec.Role), hosts(spec)
			app.Processes = processes(l, inv)
		}
		if inv != nil {
			fill(&app, inv, l.Spec, s)
		}
		if why != "" && inv != nil && app.State != NotForged {
			app.Warnings, app.Drift = append(app.Warnings, why), nil
		}
		seen[l.Name] = true
		out = append(out, app)
	}
	if inv != nil {
		for _, name := range appNames(inv) {
			if seen[name] {
				continue
			}
			app := App{Name: name, Environment: environmentOf(inv, name), Processes: processes(Local{Name: name}, inv)}
			fill(&app, inv, nil, s)
			out = append(out, app)
		}
	}
	return Sorted(out)
}

// appNames returns the names of all apps in an inventory, sorted.
func appNames(inv *k8s.Inventory) []string {
	names := map[string]bool{}
	for _, d := range inv.Deployments {
		names[d.Labels[metadata.AppLabel]] = true
	}
	for _, c := range inv.CronJobs {
		names[c.Labels[metadata.AppLabel]] = true
	}
	for _, t := range inv.PodTemplates {
		names[t.Labels[metadata.AppLabel]] = true
	}
	var out []string
	for n := range names {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// fill adds the state in the cluster to an app. spec is nil if the infraspec is not on disk or is invalid.
func fill(app *App, inv *k8s.Inventory, spec *infraspec.Spec, s objects.Settings) {
	services, claims := owned(inv.Services, app.Name), owned(inv.Claims, app.Name)
	for _, c := range claims {
		if t := c.DeletionTimestamp; t != nil {
			app.Warnings = append(app.Warnings, objects.DescribeClaimDeletion(c.Name, t.Time))
		}
	}
	if spec == nil && app.Hosts == nil {
		app.Hosts = servicesOf(services, "")
	}
	d, c := find(inv.Deployments, app.Name, app.Name), find(inv.CronJobs, app.Name, app.Name)
	t := find(inv.PodTemplates, app.Name, app.Name)
	switch {
	case d != nil:
		app.Warnings = append(app.Warnings, app.deployment(app.Name, d)...)
	case c != nil:
		app.cronJob(app.Name, c)
		app.Warnings = append(app.Warnings, runWarnings(c, inv.Runs)...)
	case t != nil:
		app.Role, app.State = cmp.Or(app.Role, t.Labels[objects.RoleLabel]), Callable
		app.Version = version(t.Annotations, metadata.ImageOf(t.Template.Spec, app.Name))
		app.Since = &t.CreationTimestamp.Time
	case spec != nil && spec.Role == infraspec.Function:
		app.State = NotDeployed
	case spec != nil:
		app.State = NotForged
	}
	for i := range app.Processes {
		app.Warnings = append(app.Warnings, app.Processes[i].fill(app.Name, inv)...)
	}
	if spec == nil || app.State == NotForged {
		return
	}
	var err error
	budgets := disruptions{
		owned(inv.DisruptionBudgets, app.Name), inv.OtherDisruptionBudgets, inv.DisruptionBudgetsDenied,
	}
	deployments := owned(inv.Deployments, app.Name)
	for i := range deployments {
		deployments[i] = metadata.Unheld(deployments[i])
	}
	have := liveObjects{deployments, owned(inv.CronJobs, app.Name), services, claims, budgets,
		routesOf(inv, app.Name)}
	if app.Drift, err = differences(have, spec, s); err != nil {
		app.Problem = "cannot be compared with the cluster: " + err.Error()
	}
}

// find returns the object that has a name and the app's label, or nil. It skips an object that is being deleted.
func find[T any, P object[T]](list []T, app, name string) *T {
	i := slices.IndexFunc(list, func(o T) bool {
		return P(&o).GetName() == name && P(&o).GetLabels()[metadata.AppLabel] == app && P(&o).GetDeletionTimestamp() == nil
	})
	if i < 0 {
		return nil
	}
	return &list[i]
}

// owned returns the objects with the app's label.
func owned[T any, P object[T]](list []T, app string) []T {
	var out []T
	for _, o := range list {
		if P(&o).GetLabels()[metadata.AppLabel] == app {
			out = append(out, o)
		}
	}
	return out
}

type object[T any] interface {
	*T
	GetName() string
	GetLabels() map[string]string
	GetDeletionTimestamp() *metav1.Time
}

// deployment describes a workload by its Deployment, and returns warnings.
func (w *Workload) deployment(app string, d *appsv1.Deployment) []string {
	w.Desired = 1
	if d.Spec.Replicas != nil {
		w.Desired = int(*d.Spec.Replicas)
	}
	w.Ready = int(d.Status.AvailableReplicas)
	w.Role = cmp.Or(w.Role, d.Labels[objects.RoleLabel])
	switch {
	case d.Spec.Paused && d.Status.Replicas == 0: // with replicas, somebody paused it
		w.State, w.Desired = NotDeployed, 0
		return nil
	case w.Desired == 0:
		w.State = Stopped
	case metadata.CanaryOf(d) != nil:
		w.State = Canary
	case w.Ready >= w.Desired && int(d.Status.UpdatedReplicas) >= w.Desired &&
		d.Status.ObservedGeneration >= d.Generation:
		w.State = Running
	default:
		w.State = NotReady
	}
	w.Version = version(d.Annotations, metadata.ImageOf(d.Spec.Template.Spec, app))
	since := k8s.LastProgress(d)
	w.Since = &since
	return rolloutWarnings(app, d)
}

// rolloutWarnings returns why a change to a Deployment does not take effect, although its Pods may be available.
func rolloutWarnings(app string, d *appsv1.Deployment) []string {
	held, isHeld := errors.AsType[*objects.HeldError](objects.CheckHeld(d))
	switch {
	case isHeld:
		return []string{held.Error() + "; " + held.Hint()}
	case d.Spec.Paused:
		return []string{"paused, so no change replaces its Pods; resume it with kubectl rollout resume deployment/" + d.Name +
			" or norn deploy"}
	case d.Status.Replicas > d.Status.UpdatedReplicas:
		return []string{"a rollout is not complete: Pods of the previous version still run; norn status " + app +
			" shows why"}
	}
	return nil
}

// version returns the name of the version that an object runs.
func version(annotations map[string]string, image string) string {
	return metadata.VersionName(metadata.Shipped(annotations, image)[metadata.CommitAnnotation], image)
}

// cronJob describes a workload by its CronJob.
func (w *Workload) cronJob(app string, c *batchv1.CronJob) {
	w.Role = cmp.Or(w.Role, c.Labels[objects.RoleLabel])
	w.State = Scheduled
	if c.Spec.Suspend != nil && *c.Spec.Suspend {
		if w.State = NotDeployed; !objects.Deployed(c) {
			return
		}
		w.State = Suspended
	}
	w.Version = version(c.Annotations, metadata.ImageOf(c.Spec.JobTemplate.Spec.Template.Spec, app))
	since := c.CreationTimestamp.Time
	if c.Status.LastScheduleTime != nil {
		since = c.Status.LastScheduleTime.Time
	}
	w.Since = &since
}
