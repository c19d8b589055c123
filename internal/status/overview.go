package status

import (
	"cmp"
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
	Stopped     State = "scaled to 0"
	Scheduled   State = "scheduled" // a cron app
	Callable    State = "callable"  // a function, which has no pods between calls
)

// App describes an app in one line.
type App struct {
	Name    string     `json:"app"`
	Role    string     `json:"role"`
	State   State      `json:"state"`
	Ready   int        `json:"ready"`
	Desired int        `json:"desired"`
	Version string     `json:"version,omitempty"` // commit or image
	Since   *time.Time `json:"since,omitempty"`   // when the rollout last progressed, or the object was created
	Hosts   []string   `json:"hosts,omitempty"`
	Drift   []string   `json:"drift,omitempty"` // differences between cluster and infraspec
	Path    string     `json:"path,omitempty"`  // of the infraspec, if it is on this machine
	Problem string     `json:"problem,omitempty"`
	// Warnings say what will go wrong although the app may be running.
	Warnings []string `json:"warnings,omitempty"`
}

// Overview returns the apps on disk and in the inventory, sorted by name. A nil inventory means that no cluster is
// available.
func Overview(locals []Local, inv *k8s.Inventory, s objects.Settings) []App {
	var out []App
	seen := map[string]bool{}
	for _, l := range locals {
		app := App{Name: l.Name, Path: l.Path, Problem: l.Problem, State: Invalid}
		if l.Spec != nil {
			app.Role, app.Hosts, app.State = string(l.Spec.Role), hosts(l.Spec), Unknown
		}
		if inv != nil {
			fill(&app, inv, l.Spec, s)
		}
		seen[l.Name] = true
		out = append(out, app)
	}
	if inv != nil {
		for _, name := range appNames(inv) {
			if seen[name] {
				continue
			}
			app := App{Name: name}
			fill(&app, inv, nil, s)
			out = append(out, app)
		}
	}
	slices.SortFunc(out, func(a, b App) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path)) })
	return out
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
		for _, svc := range services {
			app.Hosts = append(app.Hosts, svc.Name)
		}
	}
	d, c, t := find(inv.Deployments, app.Name), find(inv.CronJobs, app.Name), find(inv.PodTemplates, app.Name)
	switch {
	case d != nil:
		deployment(app, d)
	case c != nil:
		cronJob(app, c)
	case t != nil:
		app.Role, app.State = cmp.Or(app.Role, t.Labels[objects.RoleLabel]), Callable
		app.Version = version(t.Annotations, metadata.ImageOf(t.Template.Spec, app.Name))
		app.Since = &t.CreationTimestamp.Time
	case spec != nil && spec.Role == infraspec.Function:
		app.State = NotDeployed
	case spec != nil:
		app.State = NotForged
		return
	}
	if spec == nil {
		return
	}
	var err error
	if app.Drift, err = differences(liveObjects{d, c, services, claims}, spec, s); err != nil {
		app.Problem = "cannot be compared with the cluster: " + err.Error()
	}
}

// find returns the object that has the app's name and label, or nil. It skips an object that is being deleted.
func find[T any, P object[T]](list []T, app string) *T {
	i := slices.IndexFunc(list, func(o T) bool {
		return P(&o).GetName() == app && P(&o).GetLabels()[metadata.AppLabel] == app && P(&o).GetDeletionTimestamp() == nil
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

func deployment(app *App, d *appsv1.Deployment) {
	app.Desired = 1
	if d.Spec.Replicas != nil {
		app.Desired = int(*d.Spec.Replicas)
	}
	app.Ready = int(d.Status.AvailableReplicas)
	app.Role = cmp.Or(app.Role, d.Labels[objects.RoleLabel])
	switch {
	case d.Spec.Paused && d.Status.Replicas == 0: // with replicas, somebody paused it
		app.State, app.Desired = NotDeployed, 0
		return
	case app.Desired == 0:
		app.State = Stopped
	case app.Ready >= app.Desired && int(d.Status.UpdatedReplicas) >= app.Desired &&
		d.Status.ObservedGeneration >= d.Generation:
		app.State = Running
	default:
		app.State = NotReady
	}
	app.Warnings = append(app.Warnings, rolloutWarnings(d)...)
	app.Version = version(d.Annotations, metadata.ImageOf(d.Spec.Template.Spec, app.Name))
	since := k8s.LastProgress(d)
	app.Since = &since
}

// rolloutWarnings returns why a change to a Deployment does not take effect, although its Pods may be available.
func rolloutWarnings(d *appsv1.Deployment) []string {
	switch {
	case d.Spec.Paused:
		return []string{"paused, so no change replaces its Pods; resume it with kubectl rollout resume deployment/" + d.Name +
			" or norn deploy"}
	case d.Status.Replicas > d.Status.UpdatedReplicas:
		return []string{"a rollout is not complete: Pods of the previous version still run; norn status " + d.Name +
			" shows why"}
	}
	return nil
}

// version returns the name of the version that an object runs.
func version(annotations map[string]string, image string) string {
	return metadata.VersionName(metadata.Shipped(annotations, image)[metadata.CommitAnnotation], image)
}

func cronJob(app *App, c *batchv1.CronJob) {
	app.Role = cmp.Or(app.Role, c.Labels[objects.RoleLabel])
	app.State = Scheduled
	if c.Spec.Suspend != nil && *c.Spec.Suspend {
		app.State = NotDeployed
		return
	}
	app.Version = version(c.Annotations, metadata.ImageOf(c.Spec.JobTemplate.Spec.Template.Spec, app.Name))
	since := c.CreationTimestamp.Time
	if c.Status.LastScheduleTime != nil {
		since = c.Status.LastScheduleTime.Time
	}
	app.Since = &since
}
