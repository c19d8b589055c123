package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// Removal describes the app to tear down.
type Removal struct {
	Namespace, App string
	// DeleteData also deletes the app's claims and the data in them.
	DeleteData bool
	Timeout    time.Duration // time limit for all waits; 0 means DefaultDeletionTimeout
	Lock       lease.Request // Holder and Wait only; Teardown fills in the rest
}

// Teardown removes the objects that forge and deploy created, in reverse order. It finds them by their labels and
// needs no infraspec. It skips objects that no longer exist. If norn does not manage an object with one of the app's
// names, the error is an *objects.ConflictError. A failed step does not stop the others, so that only what failed
// remains for a second run.
func Teardown(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, what Removal) error {
	if err := CheckPermissions(ctx, cluster, Permissions(what.Namespace, teardownGrants(what.DeleteData))); err != nil {
		return err
	}
	what.Lock = what.Lock.For(what.Namespace, what.App, func(line string) { pipeline.Say(to, "lock", line) })
	return lease.WithLock(ctx, cluster, what.Lock, func(ctx context.Context) error {
		t, err := prepare(ctx, cluster, what)
		if err != nil {
			return err
		}
		t.deadline = time.Now().Add(cmp.Or(what.Timeout, DefaultDeletionTimeout))
		var errs []error
		for _, step := range t.steps() {
			_, err := pipeline.RunStep(ctx, pipeline.Runner{To: to}, step)
			errs = append(errs, err)
			if ctx.Err() != nil {
				break
			}
		}
		return errors.Join(errs...)
	})
}

// PlanTeardown reports what Teardown would delete and keep.
func PlanTeardown(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, what Removal) error {
	t, err := prepare(ctx, cluster, what)
	if err != nil {
		return err
	}
	_, err = pipeline.RunAll(ctx, pipeline.Runner{To: to, Dry: true}, t.steps())
	return err
}

// Known reports whether the cluster has any object of the app.
func Known(ctx context.Context, cluster *k8s.Client, what Removal) (bool, error) {
	t, err := prepare(ctx, cluster, what)
	if err != nil {
		return false, err
	}
	i := t.inventory
	objects := len(i.Deployments) + len(i.CronJobs) + len(i.PodTemplates) + len(i.Services) + len(i.Claims)
	return objects > 0 || len(t.hosts()) > 0 || t.secret != nil, nil
}

// Data returns the app's claims with their sizes, such as "shop-data (1Gi)", in order.
func Data(ctx context.Context, cluster *k8s.Client, what Removal) ([]string, error) {
	claims, err := cluster.ListPVCs(ctx, what.Namespace, what.App)
	out := make([]string, 0, len(claims))
	for i := range claims {
		out = append(out, fmt.Sprintf("%s (%s)", claims[i].Name, claims[i].Spec.Resources.Requests.Storage()))
	}
	slices.Sort(out)
	return out, err
}

type teardown struct {
	cluster   *k8s.Client
	what      Removal
	inventory *k8s.Inventory
	secret    *corev1.Secret
	deadline  time.Time         // of all waits
	tunnelMap *corev1.ConfigMap // nil if it does not exist or the user cannot read it
}

// prepare reads the existing objects. It returns an error if norn does not manage the workload or the Secret with the
// app's name.
func prepare(ctx context.Context, cluster *k8s.Client, what Removal) (*teardown, error) {
	inv, err := cluster.Inventory(ctx, what.Namespace, what.App)
	if err != nil {
		return nil, err
	}
	t := &teardown{cluster: cluster, what: what, inventory: inv}
	for i := range inv.Deployments {
		err := objects.CheckClaims(what.App, &inv.Deployments[i].Spec.Template.Spec, inv.Claims)
		if err != nil && !what.DeleteData { // its Pods would end, and the data would not stay
			return nil, err
		}
	}
	var foreign conflictErrors
	check := func(kind string, o metadata.Object, err error) error {
		if err != nil {
			return ignoreNotFound(err)
		}
		if conflict, ok := errors.AsType[*objects.ConflictError](objects.CheckOwner(kind, o, what.App)); ok {
			conflict.Final = true // adopting an object only to delete it makes no sense
			foreign = append(foreign, conflict)
		}
		return nil
	}
	secret, err := cluster.GetSecret(ctx, what.Namespace, objects.SecretName(what.App))
	if err == nil {
		t.secret = secret
	}
	if err := check(objects.KindSecret, secret, err); err != nil {
		return nil, err
	}
	if len(inv.Deployments)+len(inv.CronJobs) == 0 {
		d, err := cluster.GetDeployment(ctx, what.Namespace, what.App)
		if err := check(objects.KindDeployment, d, err); err != nil {
			return nil, err
		}
		c, err := cluster.GetCronJob(ctx, what.Namespace, what.App)
		if err := check(objects.KindCronJob, c, err); err != nil {
			return nil, err
		}
	}
	m, err := cluster.GetConfigMap(ctx, tunnel.Namespace, tunnel.ConfigMap)
	if _, denied := errors.AsType[*k8s.DeniedError](err); err == nil {
		t.tunnelMap = m
	} else if !denied && ignoreNotFound(err) != nil {
		return nil, err
	}
	return t, foreign.orNil()
}

func ignoreNotFound(err error) error {
	if k8s.IsNotFound(err) {
		return nil
	}
	return err
}

// hosts returns the hosts of the app's own tunnel rules.
func (t *teardown) hosts() []string {
	if t.tunnelMap == nil {
		return nil
	}
	return tunnel.OwnersOf(t.tunnelMap).Hosts(tunnel.AppKey(t.what.Namespace, t.what.App), "")
}
