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

func (t *teardown) steps() []pipeline.Step {
	return []pipeline.Step{
		{Name: "Tunnel", Run: t.tunnel},
		{Name: objects.KindService, Run: t.services},
		{Name: "Workload", Run: t.workload},
		{Name: objects.KindSecret, Run: t.secrets},
		{Name: objects.KindClaim, Run: t.claims},
	}
}

var gone = pipeline.Result{State: pipeline.Skipped, Detail: "there is none"}

// deleted is the result of a step that has deleted, or in a dry run would have.
func (t *teardown) deleted(names []string, note string) pipeline.Result {
	if len(names) == 0 {
		return gone
	}
	slices.Sort(names)
	detail := strings.Join(names, ", ") + note
	if t.dry {
		return pipeline.Result{State: pipeline.Planned, Detail: "would delete " + detail}
	}
	return pipeline.Result{State: pipeline.Deleted, Detail: detail}
}

// tunnel takes the app's own rules away. Who may not read the tunnel has none to take away.
func (t *teardown) tunnel(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	app, hosts := tunnel.AppKey(t.what.Namespace, t.what.App), t.hosts()
	if t.dry || len(hosts) == 0 && (t.tunnelMap == nil || !tunnel.Unfinished(t.tunnelMap, app)) {
		return t.deleted(hosts, ""), nil
	}
	if _, err := (&cloudflared{cluster: t.cluster, out: out}).change(ctx, app, tunnel.Rule{}); err != nil {
		return pipeline.Result{}, err
	}
	if len(hosts) == 0 { // an earlier run was cut short before the restart
		return gone, nil
	}
	_, _ = fmt.Fprintf(out, "the DNS records of %s stay: the cloudflared command cannot delete them\n", strings.Join(hosts, ", "))
	return t.deleted(hosts, ""), nil
}

func (t *teardown) services(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	var names []string
	for _, s := range t.inventory.Services {
		if !t.dry {
			if err := t.cluster.DeleteService(ctx, t.what.Namespace, s.Name); err != nil {
				return pipeline.Result{}, err
			}
		}
		names = append(names, s.Name)
	}
	return t.deleted(names, ""), nil
}

// workload deletes the Deployment or the CronJob, and waits until its pods are gone.
func (t *teardown) workload(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	var names []string
	remove := func(kind, name string, do func(ctx context.Context, ns, name string) error) error {
		names = append(names, kind+" "+name)
		if t.dry {
			return nil
		}
		return do(ctx, t.what.Namespace, name)
	}
	for _, d := range t.inventory.Deployments {
		if err := remove(objects.KindDeployment, d.Name, t.cluster.DeleteDeployment); err != nil {
			return pipeline.Result{}, err
		}
	}
	for _, c := range t.inventory.CronJobs {
		if err := remove(objects.KindCronJob, c.Name, t.cluster.DeleteCronJob); err != nil {
			return pipeline.Result{}, err
		}
	}
	for _, p := range t.inventory.PodTemplates {
		if err := remove("PodTemplate", p.Name, t.cluster.DeletePodTemplate); err != nil {
			return pipeline.Result{}, err
		}
	}
	for _, j := range t.inventory.Jobs { // of norn run, invoke and migrations
		if err := remove("Job", j.Name, t.cluster.DeleteJob); err != nil {
			return pipeline.Result{}, err
		}
	}
	if !t.dry { // also where the objects are gone already: an earlier run may have been cut short
		if err := t.untilGone(ctx, out); err != nil {
			return pipeline.Result{}, err
		}
	}
	return t.deleted(names, ", with its pods"), nil
}

// podsTimeout bounds the wait for the pods: a node that is down never says that its pods have ended.
const podsTimeout = 5 * time.Minute

// untilGone waits for the Deployment and the pods that norn made; others with the same label are none of its business.
func (t *teardown) untilGone(ctx context.Context, out io.Writer) error {
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
			pipeline.Wait(out, fmt.Sprintf("pods left: %d", len(now)), nil)
		}
		left = now
		return o.Deployment == nil && len(left) == 0, nil
	})
	names := strings.Join(slices.Sorted(maps.Keys(left)), ", ")
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("wait until the pods of %s are gone (left: %s): %w", t.what.App, names, err)
	}
	if err != nil {
		return fmt.Errorf("wait until the pods of %s are gone, which goes on in the cluster: %w", t.what.App, err)
	}
	return nil
}

func (t *teardown) secrets(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	if t.secret == nil {
		return gone, nil
	}
	if !t.dry {
		if err := t.cluster.DeleteSecret(ctx, t.what.Namespace, t.secret.Name); err != nil {
			return pipeline.Result{}, err
		}
	}
	return t.deleted([]string{t.secret.Name}, ""), nil
}

func (t *teardown) claims(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	var names []string
	for _, c := range t.inventory.Claims {
		names = append(names, c.Name)
		if !t.what.DeleteData || t.dry {
			continue
		}
		if err := t.cluster.DeletePVC(ctx, t.what.Namespace, c.Name); err != nil {
			return pipeline.Result{}, err
		}
	}
	if len(names) > 0 && !t.what.DeleteData {
		return pipeline.Result{State: pipeline.Skipped, Detail: strings.Join(names, ", ") + " kept with the data (--delete-data deletes)"}, nil
	}
	if len(names) > 0 && !t.dry {
		if err := t.claimsGone(ctx, out); err != nil {
			return pipeline.Result{}, err
		}
	}
	return t.deleted(names, ", with the data"), nil
}

// claimsGone waits until the claims are gone, which may take as long as something still mounts them.
func (t *teardown) claimsGone(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, podsTimeout, errors.New("something still mounts them"))
	defer cancel()
	left := -1
	err := t.cluster.WatchPVCs(ctx, t.what.Namespace, t.what.App, func(claims []*corev1.PersistentVolumeClaim) (bool, error) {
		if left >= 0 && len(claims) != left {
			pipeline.Wait(out, fmt.Sprintf("claims left: %d", len(claims)), nil)
		}
		left = len(claims)
		return left == 0, nil
	})
	if err != nil {
		return fmt.Errorf("wait until the claims of %s are gone: %w", t.what.App, err)
	}
	return nil
}
