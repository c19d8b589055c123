package forge

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"norn/internal/pipeline"
	"norn/pkg/k8s"
)

// Remover is what teardown asks of a cluster.
type Remover interface {
	guard
	reader
	deleter
	tunnelCluster
	dataRemover
}

// dataRemover deletes what holds values and data, and watches pods end.
type dataRemover interface {
	Inventory(ctx context.Context, ns, app string) (*k8s.Inventory, error)
	DeleteSecret(ctx context.Context, ns, name string) error
	DeletePVC(ctx context.Context, ns, name string) error
	Observe(ctx context.Context, ns, app string, see func(k8s.Observation) (bool, error)) error
	WatchPVCs(ctx context.Context, ns, app string, see func([]*corev1.PersistentVolumeClaim) (bool, error)) error
}

var _ Remover = (*k8s.Client)(nil)

// Removal says what is to be torn down.
type Removal struct {
	Namespace, App string
	// DeleteData deletes the app's claims too, and the data in them.
	DeleteData bool
	Lock       k8s.LockRequest // its Holder and Wait; the rest is filled in
}

// NoAppError says that the cluster has nothing of an app.
type NoAppError struct{ App, Namespace string }

// Error names app and namespace.
func (e *NoAppError) Error() string {
	return fmt.Sprintf("there is nothing of %s in namespace %s", e.App, e.Namespace)
}

// Teardown takes away what forge and deploy made, in the reverse order, by the cluster's labels alone: no infraspec is needed. What is gone
// already is skipped. Objects that are not norn's stay.
func Teardown(ctx context.Context, cluster Remover, to pipeline.Reporter, what Removal) error {
	t, err := prepare(ctx, cluster, what)
	if err != nil {
		return err
	}
	what.Lock.Namespace, what.Lock.App = what.Namespace, what.App
	what.Lock.Say = func(line string) { pipeline.Say(to, "lock", line) }
	return cluster.Holding(ctx, what.Lock, func(ctx context.Context) error { return pipeline.Run(ctx, to, t.steps()) })
}

// PlanTeardown says what Teardown would delete and keep, and deletes nothing: each step only tells.
func PlanTeardown(ctx context.Context, cluster Remover, to pipeline.Reporter, what Removal) error {
	t, err := prepare(ctx, cluster, what)
	if err != nil {
		return err
	}
	t.dry = true
	return pipeline.Run(ctx, to, t.steps())
}

func prepare(ctx context.Context, cluster Remover, what Removal) (*teardown, error) {
	if err := permitted(ctx, cluster, teardownNeeds(what.Namespace, what.DeleteData)); err != nil {
		return nil, err
	}
	inv, err := cluster.Inventory(ctx, what.Namespace, what.App)
	if err != nil {
		return nil, err
	}
	t := &teardown{cluster: cluster, what: what, inventory: inv}
	return t, t.foreign(ctx)
}

type teardown struct {
	cluster   Remover
	what      Removal
	inventory *k8s.Inventory
	secret    *corev1.Secret
	dry       bool
}

// foreign refuses where the workload or the Secret of the app's name is not norn's.
func (t *teardown) foreign(ctx context.Context) error {
	var found conflictErrors
	check := func(kind string, o k8s.Object, err error) error {
		if k8s.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if conflict, ok := errors.AsType[*ConflictError](Owned(kind, o, t.what.App)); ok {
			found = append(found, conflict)
		}
		return nil
	}
	secret, err := t.cluster.GetSecret(ctx, t.what.Namespace, SecretName(t.what.App))
	if err == nil {
		t.secret = secret
	}
	if err := check(kindSecret, secret, err); err != nil {
		return err
	}
	if len(t.inventory.Deployments) == 0 {
		d, err := t.cluster.GetDeployment(ctx, t.what.Namespace, t.what.App)
		if err := check(kindDeployment, d, err); err != nil {
			return err
		}
	}
	return found.orNil()
}

// none reports whether the cluster has nothing of the app; the tunnel is not looked at.
func (t *teardown) none() bool {
	i := t.inventory
	return len(i.Deployments)+len(i.CronJobs)+len(i.Services)+len(i.Claims) == 0 && t.secret == nil
}

// Exists returns a *NoAppError where the cluster has nothing of an app.
func Exists(ctx context.Context, cluster Remover, what Removal) error {
	t, err := prepare(ctx, cluster, what)
	if err != nil {
		return err
	}
	if t.none() {
		return &NoAppError{what.App, what.Namespace}
	}
	return nil
}
