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
	Repository     string // of the app's infraspec on this machine, or ""
	Environment    string // the chosen one, or ""
	// DeleteData also deletes the app's claims and the data in them.
	DeleteData bool
	// ExpiredAt makes Teardown delete only a preview whose objects have expired at this time; see Prune.
	ExpiredAt time.Time
	Timeout   time.Duration // time limit for all waits; 0 means DefaultDeletionTimeout
	Lock      lease.Request // Holder and Wait only; Teardown fills in the rest
}

// Teardown removes the objects that forge and deploy created, in reverse order. It finds them by their labels and
// needs no infraspec. It skips objects that no longer exist, and warns about objects with the labels that norn does not
// manage. If such an object has one of the app's names, the error is an *objects.ConflictError. If the app belongs to
// another repository, the error is an *objects.RepositoryError. A failed step does not
// stop the others, so that only what failed remains for a second run. Teardown returns what ran.
func Teardown(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, what Removal) (ran Ran, err error) {
	if err := CheckPermissions(ctx, cluster, Permissions(what.Namespace, teardownGrants(what.DeleteData))); err != nil {
		return ran, err
	}
	what.Lock = what.Lock.For(what.Namespace, what.App, func(line string) { pipeline.Say(to, "lock", line) })
	err = lease.WithLock(ctx, cluster, what.Lock, func(ctx context.Context) error {
		t, err := prepare(ctx, cluster, what)
		if err != nil {
			return err
		}
		ran = ranOf(t.inventory, what.App)
		t.warnForeign(to)
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
	return ran, err
}

// Ran is what an app ran before a teardown.
type Ran struct {
	Image string // of its main process, or "" before the first deploy
	Any   bool   // norn had forged it
}

// ranOf returns what the main process of an app runs.
func ranOf(i *k8s.Inventory, app string) Ran {
	var ran Ran
	keep := func(o metadata.Object, pod corev1.PodSpec) {
		if o.GetName() != app {
			return
		}
		ran.Any = true
		if image := metadata.ImageOf(pod, app); objects.Deployed(o) {
			ran.Image = image
		}
	}
	for k := range i.Deployments {
		keep(&i.Deployments[k], i.Deployments[k].Spec.Template.Spec)
	}
	for k := range i.CronJobs {
		keep(&i.CronJobs[k], i.CronJobs[k].Spec.JobTemplate.Spec.Template.Spec)
	}
	for k := range i.PodTemplates {
		keep(&i.PodTemplates[k], i.PodTemplates[k].Template.Spec)
	}
	return ran
}

// PlanTeardown reports what Teardown would delete and keep.
func PlanTeardown(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, what Removal) error {
	t, err := prepare(ctx, cluster, what)
	if err != nil {
		return err
	}
	t.warnForeign(to)
	_, err = pipeline.RunAll(ctx, pipeline.Runner{To: to, Dry: true}, t.steps())
	return err
}

// warnForeign reports the objects with the app's labels that norn does not manage.
func (t *teardown) warnForeign(to pipeline.Reporter) {
	for _, f := range t.inventory.Foreign {
		to.Report(pipeline.Event{Kind: pipeline.Warned, Line: f.Error()})
	}
}

// AppObjects lists an app's objects in the cluster.
type AppObjects struct {
	Objects []string // with their kinds, such as "Deployment shop", and "tunnel rule HOST"; without the claims
	Data    []string // the claims with their sizes, such as "shop-data (1Gi)"
}

// Find returns an app's objects in the cluster, including the claims, which Teardown deletes on request.
func Find(ctx context.Context, cluster *k8s.Client, what Removal) (AppObjects, error) {
	t, err := prepare(ctx, cluster, what)
	if err != nil {
		return AppObjects{}, err
	}
	var found AppObjects
	for _, host := range slices.Sorted(slices.Values(t.hosts())) {
		found.Objects = append(found.Objects, "tunnel rule "+host)
	}
	for _, list := range [][]liveObject{
		t.routeObjects(), liveObjects(objects.KindService, t.inventory.Services), t.disruptions(),
		t.workloads(), t.storedObjects(),
	} {
		found.Objects = append(found.Objects, kindsIn(list)...)
	}
	for _, c := range t.inventory.Claims {
		found.Data = append(found.Data, fmt.Sprintf("%s (%s)", c.Name, c.Spec.Resources.Requests.Storage()))
	}
	slices.Sort(found.Data)
	return found, nil
}

type teardown struct {
	cluster   *k8s.Client
	what      Removal
	inventory *k8s.Inventory
	verified  []corev1.Pod      // Pods for verify that a killed deploy has left
	stored    []*corev1.Secret  // the app's Secret, and the previous values that a deploy has left
	deadline  time.Time         // of all waits
	tunnelMap *corev1.ConfigMap // nil if it does not exist or the user cannot read it
}

// prepare reads the existing objects. It returns an error if norn does not manage the workload or the Secret with the
// app's name, or if the app belongs to another repository.
func prepare(ctx context.Context, cluster *k8s.Client, what Removal) (*teardown, error) {
	inv, err := cluster.Inventory(ctx, what.Namespace, what.App)
	if err != nil {
		return nil, err
	}
	t := &teardown{cluster: cluster, what: what, inventory: inv}
	if t.verified, err = cluster.VerifyPods(ctx, what.Namespace, what.App); err != nil {
		return nil, err
	}
	for _, w := range workloadOf(inv) {
		if err := objects.CheckRepositoryByName(w.object, what.App, what.Repository); err != nil {
			return nil, err
		}
	}
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
	for _, name := range []string{objects.SecretName(what.App), objects.PreviousSecretName(what.App)} {
		secret, err := cluster.GetSecret(ctx, what.Namespace, name)
		if err == nil {
			t.stored = append(t.stored, secret)
		}
		if err := check(objects.KindSecret, secret, err); err != nil {
			return nil, err
		}
	}
	if err := t.checkEnvironment(); err != nil {
		return nil, err
	}
	if err := t.checkExpired(); err != nil {
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
	return tunnel.OwnersOf(t.tunnelMap).Hosts(tunnel.AppKey(t.what.Namespace, t.what.App))
}
