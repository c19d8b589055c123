package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

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
		if _, err := (&cloudflared{cluster: t.cluster, out: out}).change(ctx, app, tunnel.Rule{}); err != nil {
			return pipeline.Result{}, err
		}
		if len(hosts) > 0 { // otherwise an earlier run was interrupted before the restart
			_, _ = fmt.Fprintf(
				out, "the DNS records of %s remain: the cloudflared command cannot delete them\n", strings.Join(hosts, ", "),
			)
		}
		return deleted(hosts, ""), nil
	}
	return removeStep{Name: "Tunnel", Run: pipeline.Act(run), Plan: wouldDelete(hosts, "")}
}

func (t *teardown) services() removeStep {
	names := namesOf(t.inventory.Services)
	run := func(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
		if err := t.deleteAll(ctx, names, t.cluster.DeleteService); err != nil {
			return pipeline.Result{}, err
		}
		return deleted(names, ""), nil
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
		return deleted(all, note), nil
	}
	return removeStep{Name: "Workload", Run: pipeline.Act(run), Plan: wouldDelete(all, note)}
}

// podsTimeout is how long to wait for the Pods: a node that is down never reports that its Pods have ended.
const podsTimeout = 5 * time.Minute

// waitForPods waits until the Deployment and norn's Pods are gone. Other Pods with the same label do not matter.
func (t *teardown) waitForPods(ctx context.Context, out io.Writer) error {
	bounded, cancel := context.WithTimeout(ctx, podsTimeout)
	defer cancel()
	left := map[string]bool{}
	err := t.cluster.Observe(bounded, t.what.Namespace, t.what.App, func(o rollout.Observation) (bool, error) {
		now := map[string]bool{}
		for _, p := range o.Pods {
			if p.Labels[metadata.ManagedByLabel] == metadata.ManagedBy {
				now[p.Name] = true
			}
		}
		if len(now) != len(left) {
			pipeline.Wait(out, fmt.Sprintf("Pods left: %d", len(now)), nil)
		}
		left = now
		return o.Deployment == nil && len(left) == 0, nil
	})
	names := strings.Join(slices.Sorted(maps.Keys(left)), ", ")
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("wait for the Pods of %s to end (left: %s): %w", t.what.App, names, err)
	}
	if err != nil {
		return fmt.Errorf("wait for the Pods of %s to end, which continues in the cluster: %w", t.what.App, err)
	}
	return nil
}

func (t *teardown) secrets() removeStep {
	var names []string
	if t.secret != nil {
		names = []string{t.secret.Name}
	}
	run := func(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
		if err := t.deleteAll(ctx, names, t.cluster.DeleteSecret); err != nil {
			return pipeline.Result{}, err
		}
		return deleted(names, ""), nil
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
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		if err := t.deleteAll(ctx, names, t.cluster.DeletePVC); err != nil {
			return pipeline.Result{}, err
		}
		if len(names) > 0 {
			if err := t.waitForClaims(ctx, out); err != nil {
				return pipeline.Result{}, err
			}
		}
		return deleted(names, note), nil
	}
	return removeStep{Name: objects.KindClaim, Run: pipeline.Act(run), Plan: wouldDelete(names, note)}
}

// waitForClaims waits until the claims are gone. A claim remains while a Pod mounts it.
func (t *teardown) waitForClaims(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, podsTimeout, errors.New("a Pod may still mount them"))
	defer cancel()
	left := -1
	see := func(claims []*corev1.PersistentVolumeClaim) (bool, error) {
		if left >= 0 && len(claims) != left {
			pipeline.Wait(out, fmt.Sprintf("claims left: %d", len(claims)), nil)
		}
		left = len(claims)
		return left == 0, nil
	}
	if err := t.cluster.WatchPVCs(ctx, t.what.Namespace, t.what.App, see); err != nil {
		return fmt.Errorf("wait for the claims of %s to be deleted: %w", t.what.App, err)
	}
	return nil
}
