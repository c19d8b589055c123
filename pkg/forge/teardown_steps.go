package forge

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

type removeStep = pipeline.Step[pipeline.None]

func (t *teardown) steps() []removeStep {
	return []removeStep{t.tunnel(), t.services(), t.workload(), t.secrets(), t.claims()}
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

// deleteFunc deletes an object of a namespace by its name.
type deleteFunc = func(ctx context.Context, ns, name string) error

// deleteAll deletes objects of one kind.
func (t *teardown) deleteAll(ctx context.Context, names []string, remove deleteFunc) error {
	for _, name := range names {
		if err := remove(ctx, t.what.Namespace, name); err != nil {
			return err
		}
	}
	return nil
}

// namesOf returns the objects' names in order.
func namesOf[T any, P interface {
	*T
	metadata.Object
}](items []T) []string {
	names := make([]string, 0, len(items))
	for i := range items {
		names = append(names, P(&items[i]).GetName())
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
		_, err := (&cloudflared{cluster: t.cluster, out: out}).change(ctx, app, tunnel.Rule{})
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
	names := namesOf(t.inventory.Services)
	list := func(ctx context.Context) ([]liveObject, error) {
		left, err := t.cluster.ListServices(ctx, t.what.Namespace, t.what.App)
		return liveObjects(objects.KindService, left), err
	}
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		if err := t.deleteAll(ctx, names, t.cluster.DeleteService); err != nil {
			return pipeline.Result{}, err
		}
		return unlessFailed(deleted(names, ""), t.waitUntilGone(ctx, out, list))
	}
	return removeStep{Name: objects.KindService, Run: pipeline.Act(run), Plan: wouldDelete(names, "")}
}

// workload returns the step that deletes the Deployment or the CronJob, and waits until its Pods are gone.
func (t *teardown) workload() removeStep {
	kinds := []struct {
		kind   string
		names  []string
		remove deleteFunc
	}{
		{objects.KindDeployment, namesOf(t.inventory.Deployments), t.cluster.DeleteDeployment},
		{objects.KindCronJob, namesOf(t.inventory.CronJobs), t.cluster.DeleteCronJob},
		{"PodTemplate", namesOf(t.inventory.PodTemplates), t.cluster.DeletePodTemplate},
		{"Job", namesOf(t.inventory.Jobs), t.cluster.DeleteJob}, // of norn run, invoke and migrations
	}
	var all []string
	for _, k := range kinds {
		for _, name := range k.names {
			all = append(all, k.kind+" "+name)
		}
	}
	slices.Sort(all)
	const note = ", with its Pods"
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		for _, k := range kinds {
			if err := t.deleteAll(ctx, k.names, k.remove); err != nil {
				return pipeline.Result{}, err
			}
		}
		if err := t.waitForPods(ctx, out); err != nil { // even if no object is left: an earlier run may have been interrupted
			return pipeline.Result{}, err
		}
		return unlessFailed(deleted(all, note), t.waitUntilGone(ctx, out, t.workloadsLeft))
	}
	return removeStep{Name: "Workload", Run: pipeline.Act(run), Plan: wouldDelete(all, note)}
}

// workloadsLeft lists what is left of the app's workloads.
func (t *teardown) workloadsLeft(ctx context.Context) ([]liveObject, error) {
	i, err := t.cluster.Inventory(ctx, t.what.Namespace, t.what.App)
	if err != nil {
		return nil, err
	}
	return slices.Concat(
		liveObjects(objects.KindDeployment, i.Deployments), liveObjects(objects.KindCronJob, i.CronJobs),
		liveObjects("PodTemplate", i.PodTemplates), liveObjects("Job", i.Jobs),
	), nil
}

// waitForPods waits until norn's Pods are gone. Other Pods with the same label do not matter.
func (t *teardown) waitForPods(ctx context.Context, out io.Writer) error {
	begin := time.Now()
	bounded, cancel := context.WithDeadline(ctx, t.waitEnd())
	defer cancel()
	var left []string
	said := ""
	err := t.cluster.Observe(bounded, t.what.Namespace, t.what.App, func(o rollout.Observation) (bool, error) {
		var pods []pipeline.Pod
		left = nil
		for _, p := range o.Pods {
			if p.Labels[metadata.ManagedByLabel] == metadata.ManagedBy {
				left = append(left, p.Name)
				pods = append(pods, pipeline.Pod{Name: p.Name, State: rollout.Summarize(p).State, Old: true})
			}
		}
		slices.Sort(left)
		if text := fmt.Sprintf("Pods left: %d (%s)", len(left), strings.Join(left, ", ")); len(left) > 0 && text != said {
			pipeline.Wait(out, text, pods)
			said = text
		}
		return len(left) == 0, nil
	})
	if err != nil && ctx.Err() == nil && len(left) > 0 {
		return &DeletionError{t.podsLeft(left), time.Since(begin)}
	}
	if err != nil {
		return fmt.Errorf("wait for the Pods of %s to end, which continues in the cluster: %w", t.what.App, err)
	}
	return nil
}

// podsLeft describes Pods that have not ended as what holds the app's workload.
func (t *teardown) podsLeft(names []string) deletion {
	workload := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: t.what.Namespace, Name: t.what.App,
	}}
	kind := objects.KindDeployment
	if len(t.inventory.CronJobs) > 0 {
		kind = objects.KindCronJob
	}
	return deletion{liveObject: liveObject{kind, workload}, pods: names}
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
		return firstPending(ctx, t.cluster, left, t.what.App), err
	}
	return waitUntilGone(ctx, t.waitEnd(), sayTo(out), pending)
}

func (t *teardown) secrets() removeStep {
	var names []string
	if t.secret != nil {
		names = []string{t.secret.Name}
	}
	list := func(ctx context.Context) ([]liveObject, error) {
		if len(names) == 0 {
			return nil, nil
		}
		left, err := t.cluster.GetSecret(ctx, t.what.Namespace, names[0])
		if err != nil {
			return nil, ignoreNotFound(err)
		}
		return []liveObject{{objects.KindSecret, left}}, nil
	}
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		if err := t.deleteAll(ctx, names, t.cluster.DeleteSecret); err != nil {
			return pipeline.Result{}, err
		}
		return unlessFailed(deleted(names, ""), t.waitUntilGone(ctx, out, list))
	}
	return removeStep{Name: objects.KindSecret, Run: pipeline.Act(run), Plan: wouldDelete(names, "")}
}

// claims returns the step that deletes the claims with --delete-data, or reports them without it.
func (t *teardown) claims() removeStep {
	names := namesOf(t.inventory.Claims)
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
		if err := t.deleteAll(ctx, names, t.cluster.DeletePVC); err != nil {
			return pipeline.Result{}, err
		}
		return unlessFailed(deleted(names, note), t.waitUntilGone(ctx, out, list))
	}
	return removeStep{Name: objects.KindClaim, Run: pipeline.Act(run), Plan: wouldDelete(names, note)}
}
