package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

type removeStep = pipeline.Step[pipeline.None]

func (t *teardown) steps() []removeStep {
	steps := append([]removeStep{t.tunnel()}, t.routes()...)
	steps = append(append(steps, t.services()), t.disruption()...)
	if !t.what.ExpiredAt.IsZero() { // not everybody who prunes can list Secrets, so none may be left alone
		return append(steps, t.secrets(), t.workload(), t.claims())
	}
	return append(steps, t.workload(), t.secrets(), t.claims())
}

var gone = pipeline.Result{State: pipeline.Skipped, Detail: "nothing to delete"}

// deleted returns the result of a step that deleted the named objects.
func deleted(names []string, note string) pipeline.Result {
	if len(names) == 0 {
		return gone
	}
	return pipeline.Result{State: pipeline.Deleted, Detail: strings.Join(names, ", ") + note}
}

// unlessFailed returns the result of a step that ended without an error.
func unlessFailed(result pipeline.Result, err error) (pipeline.Result, error) {
	if err != nil {
		return pipeline.Result{}, err
	}
	return result, nil
}

// wouldDelete returns the plan of a step that deletes the named objects.
func wouldDelete(names []string, note string) pipeline.Func[pipeline.None] {
	if len(names) == 0 {
		return pipeline.Fixed(pipeline.None{}, gone.State, gone.Detail)
	}
	return pipeline.Fixed(pipeline.None{}, pipeline.Planned, "would delete "+strings.Join(names, ", ")+note)
}

// deleteAll deletes objects, and returns the deleted ones. It warns about the others: since norn listed them, somebody
// has replaced them or removed norn's labels from them.
func (t *teardown) deleteAll(ctx context.Context, out io.Writer, list []liveObject) ([]liveObject, error) {
	var deleted []liveObject
	for _, o := range list {
		err := t.cluster.Delete(ctx, o.object)
		if foreign, ok := errors.AsType[*k8s.ForeignError](err); ok {
			pipeline.Warn(out, "%v", foreign)
			continue
		}
		if err != nil {
			return nil, err
		}
		deleted = append(deleted, o)
	}
	return deleted, nil
}

// namesIn returns the names of objects in order.
func namesIn(list []liveObject) []string {
	names := make([]string, 0, len(list))
	for _, o := range list {
		names = append(names, o.object.GetName())
	}
	slices.Sort(names)
	return names
}

// kindsIn returns the kinds and names of objects, such as Deployment shop, in order.
func kindsIn(list []liveObject) []string {
	names := make([]string, 0, len(list))
	for _, o := range list {
		names = append(names, o.kind+" "+o.object.GetName())
	}
	slices.Sort(names)
	return names
}

// tunnel returns the step that removes the app's own rules. It removes none if the user cannot read the tunnel.
func (t *teardown) tunnel() removeStep {
	app, hosts := tunnel.AppKey(t.what.Namespace, t.what.App), slices.Sorted(slices.Values(t.hosts()))
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		if len(hosts) == 0 && (t.tunnelMap == nil || !tunnel.Unfinished(t.tunnelMap, app)) {
			return gone, nil
		}
		_, err := (&cloudflared{cluster: t.cluster, out: out}).change(ctx, app, nil)
		if len(hosts) == 0 { // an earlier run removed the rule, but cloudflared has not restarted since
			if err != nil && ctx.Err() == nil {
				pipeline.Warn(out, "%v", err)
				return gone, nil
			}
			return unlessFailed(gone, err)
		}
		if err != nil {
			return pipeline.Result{}, err
		}
		_, _ = fmt.Fprintf(
			out, "the DNS records of %s remain: the cloudflared command cannot delete them\n", strings.Join(hosts, ", "),
		)
		return deleted(hosts, ""), nil
	}
	return removeStep{Name: "Tunnel", Run: pipeline.Act(run), Plan: wouldDelete(hosts, "")}
}

func (t *teardown) services() removeStep {
	services := liveObjects(objects.KindService, t.inventory.Services)
	list := func(ctx context.Context) ([]liveObject, error) {
		left, err := t.cluster.ListServices(ctx, t.what.Namespace, t.what.App)
		return liveObjects(objects.KindService, left), err
	}
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		removed, err := t.deleteAll(ctx, out, services)
		if err != nil {
			return pipeline.Result{}, err
		}
		return unlessFailed(deleted(namesIn(removed), ""), t.waitUntilGone(ctx, out, list))
	}
	return removeStep{Name: objects.KindService, Run: pipeline.Act(run), Plan: wouldDelete(namesIn(services), "")}
}

// workload returns the step that deletes the Deployments and the CronJobs, and waits until their Pods are gone.
func (t *teardown) workload() removeStep {
	workload := t.workloads()
	const note = ", with its Pods"
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		removed, err := t.deleteAll(ctx, out, workload)
		if err != nil {
			return pipeline.Result{}, err
		}
		if err := t.waitForPods(ctx, out); err != nil { // even if no object is left: an earlier run may have been interrupted
			return pipeline.Result{}, err
		}
		return unlessFailed(deleted(kindsIn(removed), note), t.waitUntilGone(ctx, out, t.workloadsLeft))
	}
	return removeStep{Name: "Workload", Run: pipeline.Act(run), Plan: wouldDelete(kindsIn(workload), note)}
}

// workloadsLeft lists what is left of the app's workloads.
func (t *teardown) workloadsLeft(ctx context.Context) ([]liveObject, error) {
	i, err := t.cluster.Inventory(ctx, t.what.Namespace, t.what.App)
	if err != nil {
		return nil, err
	}
	pods, err := t.cluster.VerifyPods(ctx, t.what.Namespace, t.what.App)
	return append(liveObjects("Pod", pods), workloadOf(i)...), err
}

// workloads returns the objects that create the app's Pods, and the Pods that no other object owns.
func (t *teardown) workloads() []liveObject {
	return append(liveObjects("Pod", t.verified), workloadOf(t.inventory)...)
}

// workloadOf returns the objects that create an app's Pods, and the PodTemplate of a function app. The Jobs are those
// of norn run, norn invoke, migrations and verify. They come first: after an interrupted teardown of a preview, the
// others tell that something is left.
func workloadOf(i *k8s.Inventory) []liveObject {
	return slices.Concat(
		liveObjects("Job", i.Jobs), liveObjects(objects.KindDeployment, i.Deployments),
		liveObjects(objects.KindCronJob, i.CronJobs), liveObjects("PodTemplate", i.PodTemplates),
	)
}

// waitForPods waits until norn's Pods of all processes are gone.
func (t *teardown) waitForPods(ctx context.Context, out io.Writer) error {
	names, err := t.podLabels(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, t.waitForPodsOf(ctx, out, name))
	}
	return errors.Join(errs...)
}

// podLabels returns the names of the app's workloads, by which their Pods are labelled: those of the inventory, and
// those whose Pods an interrupted run has left.
func (t *teardown) podLabels(ctx context.Context) ([]string, error) {
	names := []string{t.what.App}
	for _, o := range t.inventory.Deployments {
		names = append(names, o.Name)
	}
	pods, err := t.cluster.ProcessPods(ctx, t.what.Namespace, t.what.App)
	for _, p := range pods {
		names = append(names, p.Labels[metadata.AppLabel])
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// waitForPodsOf waits until norn's Pods of one workload are gone. Other Pods with the same label do not matter, nor do
// those of a Deployment that norn leaves alone.
func (t *teardown) waitForPodsOf(ctx context.Context, out io.Writer, name string) error {
	begin := time.Now()
	bounded, cancel := context.WithDeadline(ctx, t.waitEnd())
	defer cancel()
	var left, nodes []string
	said := ""
	err := t.cluster.Observe(bounded, t.what.Namespace, t.what.App, name, func(o rollout.Observation) (bool, error) {
		var pods []pipeline.Pod
		var kept []*corev1.Pod
		left = nil
		for _, p := range o.Pods {
			if p.Labels[metadata.ManagedByLabel] == metadata.ManagedBy && !t.isForeignPod(p, o.ReplicaSets) {
				left, kept = append(left, p.Name), append(kept, p)
				pods = append(pods, pipeline.Pod{
					Name: p.Name, State: rollout.Summarize(p).State, Old: true,
					Node: p.Spec.NodeName, Since: rollout.TerminatingSince(p),
				})
			}
		}
		slices.Sort(left)
		nodes = o.DeadNodesOf(kept)
		text := fmt.Sprintf("Pods left: %d (%s)%s", len(left), strings.Join(left, ", "), describeNodes(nodes))
		if len(left) > 0 && text != said {
			pipeline.Wait(out, text, pods)
			said = text
		}
		return len(left) == 0, nil
	})
	if err != nil && ctx.Err() == nil && len(left) > 0 {
		return &DeletionError{t.podsLeft(name, left, nodes), time.Since(begin)}
	}
	if err != nil {
		return fmt.Errorf("wait for the Pods of %s to end, which continues in the cluster: %w", name, err)
	}
	return nil
}

// isForeignPod reports whether a Pod belongs to a Deployment that norn leaves alone.
func (t *teardown) isForeignPod(p *corev1.Pod, sets []*appsv1.ReplicaSet) bool {
	i := slices.IndexFunc(sets, func(rs *appsv1.ReplicaSet) bool { return metav1.IsControlledBy(p, rs) })
	if i < 0 {
		return false
	}
	owner := metav1.GetControllerOf(sets[i])
	return owner != nil && slices.ContainsFunc(t.inventory.Foreign, func(f *k8s.ForeignError) bool {
		return f.Kind == owner.Kind && f.Name == owner.Name
	})
}

// podsLeft describes Pods that have not ended as what holds a workload. nodes are the dead ones among theirs.
func (t *teardown) podsLeft(name string, pods, nodes []string) deletion {
	workload := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: t.what.Namespace, Name: name,
	}}
	kind := objects.KindDeployment
	if slices.ContainsFunc(t.inventory.CronJobs, func(c batchv1.CronJob) bool { return c.Name == name }) {
		kind = objects.KindCronJob
	}
	return deletion{liveObject: liveObject{kind, workload}, pods: pods, nodes: nodes}
}

// waitEnd returns the end of a wait. A step that begins after the deadline still waits for a moment, since most
// deletions take no longer.
func (t *teardown) waitEnd() time.Time {
	if least := time.Now().Add(2 * time.Second); least.After(t.deadline) {
		return least
	}
	return t.deadline
}

// waitUntilGone waits until none of the listed objects is being deleted.
func (t *teardown) waitUntilGone(
	ctx context.Context, out io.Writer, list func(context.Context) ([]liveObject, error),
) error {
	pending := func(ctx context.Context) (*deletion, error) {
		left, err := list(ctx)
		return firstPending(ctx, t.cluster, left), err
	}
	return waitUntilGone(ctx, t.waitEnd(), sayTo(out), pending)
}

// storedObjects returns the app's Secrets.
func (t *teardown) storedObjects() []liveObject {
	var stored []liveObject
	for _, s := range t.stored {
		stored = append(stored, liveObject{objects.KindSecret, s})
	}
	return stored
}

func (t *teardown) secrets() removeStep {
	stored := t.storedObjects()
	names := namesIn(stored)
	list := func(ctx context.Context) (left []liveObject, err error) {
		for _, name := range names {
			s, err := t.cluster.GetSecret(ctx, t.what.Namespace, name)
			if err == nil {
				left = append(left, liveObject{objects.KindSecret, s})
			} else if ignoreNotFound(err) != nil {
				return nil, err
			}
		}
		return left, nil
	}
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		removed, err := t.deleteAll(ctx, out, stored)
		if err != nil {
			return pipeline.Result{}, err
		}
		return unlessFailed(deleted(namesIn(removed), ""), t.waitUntilGone(ctx, out, list))
	}
	return removeStep{Name: objects.KindSecret, Run: pipeline.Act(run), Plan: wouldDelete(names, "")}
}

// claims returns the step that deletes the claims with --delete-data, or reports them without it.
func (t *teardown) claims() removeStep {
	claims := liveObjects(objects.KindClaim, t.inventory.Claims)
	names := namesIn(claims)
	if len(names) > 0 && !t.what.DeleteData {
		detail := strings.Join(names, ", ") + " kept with the data (--delete-data deletes both)"
		keep := pipeline.Fixed(pipeline.None{}, pipeline.Skipped, detail)
		return removeStep{Name: objects.KindClaim, Run: keep, Plan: keep}
	}
	const note = ", with the data"
	list := func(ctx context.Context) ([]liveObject, error) {
		left, err := t.cluster.ListPVCs(ctx, t.what.Namespace, t.what.App)
		return liveObjects(objects.KindClaim, left), err
	}
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		removed, err := t.deleteAll(ctx, out, claims)
		if err != nil {
			return pipeline.Result{}, err
		}
		return unlessFailed(deleted(namesIn(removed), note), t.waitUntilGone(ctx, out, list))
	}
	return removeStep{Name: objects.KindClaim, Run: pipeline.Act(run), Plan: wouldDelete(names, note)}
}
