package status

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
)

// object returns the name of the workload that d describes.
func (d *detail) object() string { return infraspec.WorkloadName(d.Name, d.process) }

// processes describes the workloads of the other processes.
func (d *detail) processes(ctx context.Context) error {
	for i := range d.Processes {
		p := &d.Processes[i]
		one := &detail{
			cluster: d.cluster, local: d.local, inventory: d.inventory, settings: d.settings, process: p.Name,
			histories: d.histories,
			Detail:    Detail{App: App{Name: d.Name, Workload: p.Workload}},
		}
		if err := one.workload(ctx); err != nil {
			return err
		}
		p.Reason, p.Pods, p.Schedule = one.Reason, one.Pods, one.Schedule
		d.Unread = append(d.Unread, one.Unread...)
	}
	return nil
}

// workload describes the CronJob, or the Deployment with its history and pods.
func (d *detail) workload(ctx context.Context) error {
	if c := find(d.inventory.CronJobs, d.Name, d.object()); c != nil {
		d.Image = metadata.ImageOf(c.Spec.JobTemplate.Spec.Template.Spec, d.Name)
		if err := d.schedule(ctx, c); err != nil {
			return err
		}
	}
	if live := find(d.inventory.Deployments, d.Name, d.object()); live != nil {
		return d.rollout(ctx, live)
	}
	if d.State != NotForged && d.State != Terminating {
		return nil
	}
	other, err := d.cluster.GetDeployment(ctx, d.settings.Namespace, d.object())
	if err != nil { // usually because it does not exist
		return nil //nolint:nilerr // it would only explain the state
	}
	if conflict := objects.CheckOwner("Deployment", other, d.Name); conflict != nil {
		d.Reason = conflict.Error()
	} else if t := other.DeletionTimestamp; t != nil {
		d.Reason = fmt.Sprintf("Deployment %s is being deleted (since %s)", d.object(), t.UTC().Format(time.RFC3339))
	}
	return nil
}

// rollout describes a Deployment's revisions and pods, and why they are not ready.
func (d *detail) rollout(ctx context.Context, live *appsv1.Deployment) error {
	d.Image = metadata.ImageOf(live.Spec.Template.Spec, d.Name)
	revisions, err := d.cluster.Revisions(ctx, live)
	if err != nil {
		return err
	}
	pods, err := d.cluster.GetPods(ctx, d.settings.Namespace, d.object())
	if err != nil {
		return err
	}
	// The time at which a Pod failed is unknown, so none counts as lost. The table of Pods shows them.
	seen := rollout.Observation{Deployment: live, Before: rollout.FailedPods(pods)}
	canary := metadata.CanaryOf(live)
	if canary != nil {
		seen.Canary = int(canary.Pods)
	}
	d.histories[cmp.Or(d.process, infraspec.MainProcess)] = revisions
	numbers := map[string]int64{}
	for _, r := range revisions {
		seen.ReplicaSets = append(seen.ReplicaSets, r.Set)
		numbers[r.Set.Name] = d.number(r)
		version := metadata.VersionName(r.Commit, r.Image)
		d.Revisions = append(d.Revisions, Revision{r.Number, version, r.Since, r.Verified, r.Failed, r.Current})
	}
	for i := range pods {
		seen.Pods = append(seen.Pods, &pods[i])
		d.Pods = append(d.Pods, pod(&pods[i], numbers))
	}
	v := rollout.Judge(seen)
	stuck := v.State != rollout.Complete && v.Reason != "" && (!live.Spec.Paused || canary != nil)
	if d.State == NotReady || stuck {
		d.reason(ctx, v)
	}
	return nil
}

// number returns the number that norn shows for a revision: that of the last release of which it is a part, if the app
// has or had several processes. It returns 0 if there is none yet.
func (d *detail) number(r k8s.Revision) int64 {
	switch n := len(r.Releases); {
	case n > 0:
		return r.Releases[n-1].Number
	case d.process != "" || deploy.Numbered(d.histories):
		return 0
	}
	return r.Number
}

// releases replaces the revisions of the main process's Deployment by the releases of all processes, if the app has or
// had several.
func (d *detail) releases() {
	if len(d.histories) == 0 || len(d.Processes) == 0 && !deploy.Numbered(d.histories) {
		return
	}
	d.Revisions = nil
	for _, e := range deploy.Releases(d.histories, d.running()) {
		d.Revisions = append(d.Revisions, Revision{e.Revision, e.Version(), e.Created, e.Verified, e.Failed, e.Current})
	}
}

// running returns the names of the processes that run.
func (d *detail) running() []string {
	var names []string
	add := func(process string) { names = append(names, cmp.Or(process, infraspec.MainProcess)) }
	for i := range d.inventory.Deployments {
		if live := &d.inventory.Deployments[i]; live.DeletionTimestamp == nil && !k8s.IsAway(live) {
			add(live.Labels[metadata.ProcessLabel])
		}
	}
	for i := range d.inventory.CronJobs {
		c := &d.inventory.CronJobs[i]
		if c.DeletionTimestamp == nil && (c.Spec.Suspend == nil || !*c.Spec.Suspend) {
			add(c.Labels[metadata.ProcessLabel])
		}
	}
	return names
}

func pod(p *corev1.Pod, revisions map[string]int64) Pod {
	sum := rollout.Summarize(p)
	out := Pod{
		Name: p.Name, State: sum.State, Ready: sum.Ready, Restarts: sum.Restarts,
		Started: p.CreationTimestamp.Time, Message: sum.Message,
	}
	for _, owner := range p.OwnerReferences {
		out.Revision = revisions[owner.Name]
	}
	return out
}

// reason sets the reason why a rollout is not complete: the verdict, and the last warning about its Pod.
func (d *detail) reason(ctx context.Context, v rollout.Verdict) {
	d.Reason = v.Message
	if v.Reason != "" {
		d.Reason = fmt.Sprintf("%s: %s", v.Reason, v.Message)
	}
	if v.Pod == "" {
		return
	}
	events, err := d.cluster.PodEvents(ctx, d.settings.Namespace, v.Pod)
	if err != nil {
		d.unread(err)
		return
	}
	for _, e := range slices.Backward(events) {
		if e.Type == corev1.EventTypeWarning {
			d.Reason += fmt.Sprintf("\nPod %s: %s: %s", v.Pod, e.Reason, e.Message)
			return
		}
	}
}
