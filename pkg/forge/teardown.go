package forge

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/internal/pipeline"
	"norn/pkg/k8s"
)

// Remover is what teardown asks of a cluster.
type Remover interface {
	reader
	deleter
	Observe(ctx context.Context, ns, app string, see func(k8s.Observation) (bool, error)) error
}

type reader interface {
	ListServices(ctx context.Context, ns, app string) ([]corev1.Service, error)
	GetDeployment(ctx context.Context, ns, name string) (*appsv1.Deployment, error)
	secretReader
	ListPVCs(ctx context.Context, ns, app string) ([]corev1.PersistentVolumeClaim, error)
}

type deleter interface {
	DeleteService(ctx context.Context, ns, name string) error
	DeleteDeployment(ctx context.Context, ns, name string) error
	DeleteSecret(ctx context.Context, ns, name string) error
	DeletePVC(ctx context.Context, ns, name string) error
}

var _ Remover = (*k8s.Client)(nil)

// Removal says what is to be torn down.
type Removal struct {
	Namespace, App string
	DeleteData     bool // the claims too, and the data in them
}

// Teardown deletes what norn made for an app, by label, and waits until its pods are gone. Claims, and the
// data in them, stay unless the removal says so. What is gone already is skipped, so it can be run again.
func Teardown(ctx context.Context, cluster Remover, to pipeline.Reporter, what Removal) error {
	t := &teardown{cluster: cluster, ns: what.Namespace, app: what.App, deleteData: what.DeleteData}
	return pipeline.Run(ctx, to, []pipeline.Step{
		{Name: "Service", Run: t.services},
		{Name: "Deployment", Run: t.deployment},
		{Name: "Secret", Run: t.secret},
		{Name: "PersistentVolumeClaim", Run: t.claims},
	})
}

type teardown struct {
	cluster    Remover
	ns, app    string
	deleteData bool
}

var gone = pipeline.Result{State: pipeline.Skipped, Detail: "there is none"}

func (t *teardown) services(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	list, err := t.cluster.ListServices(ctx, t.ns, t.app)
	if err != nil || len(list) == 0 {
		return gone, err
	}
	var names []string
	for _, s := range list {
		if err := t.cluster.DeleteService(ctx, t.ns, s.Name); err != nil {
			return pipeline.Result{}, err
		}
		names = append(names, s.Name)
	}
	return pipeline.Result{State: pipeline.Deleted, Detail: strings.Join(names, ", ")}, nil
}

func (t *teardown) deployment(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	live, err := found(t.cluster.GetDeployment(ctx, t.ns, t.app))
	if err != nil || live == nil {
		return gone, err
	}
	if err := Owned("Deployment", live, t.app); err != nil {
		return pipeline.Result{}, err
	}
	if err := t.cluster.DeleteDeployment(ctx, t.ns, t.app); err != nil {
		return pipeline.Result{}, err
	}
	if err := t.untilGone(ctx, out); err != nil {
		return pipeline.Result{}, err
	}
	return pipeline.Result{State: pipeline.Deleted, Detail: t.app + ", with its pods"}, nil
}

// podsTimeout bounds the wait for the pods: a node that is down never says that its pods have ended.
const podsTimeout = 5 * time.Minute

// untilGone waits for the Deployment and the pods that norn made; others with the same label are none of its business.
func (t *teardown) untilGone(ctx context.Context, out io.Writer) error {
	bounded, cancel := context.WithTimeout(ctx, podsTimeout)
	defer cancel()
	left := []string{"?"}
	err := t.cluster.Observe(bounded, t.ns, t.app, func(o k8s.Observation) (bool, error) {
		var now []string
		for _, p := range o.Pods {
			if p.Labels[k8s.ManagedByLabel] == k8s.ManagedBy {
				now = append(now, p.Name)
			}
		}
		if len(now) != len(left) {
			_, _ = fmt.Fprintf(out, "pods left: %d\n", len(now))
		}
		left = now
		return o.Deployment == nil && len(left) == 0, nil
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("wait until the pods of %s are gone (left: %s): %w", t.app, strings.Join(left, ", "), err)
	}
	if err != nil {
		return fmt.Errorf("wait until the pods of %s are gone, which goes on in the cluster: %w", t.app, err)
	}
	return nil
}

func (t *teardown) secret(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	name := SecretName(t.app)
	live, err := found(t.cluster.GetSecret(ctx, t.ns, name))
	if err != nil || live == nil {
		return gone, err
	}
	if err := Owned("Secret", live, t.app); err != nil {
		return pipeline.Result{}, err
	}
	return pipeline.Result{State: pipeline.Deleted, Detail: name}, t.cluster.DeleteSecret(ctx, t.ns, name)
}

func (t *teardown) claims(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	list, err := t.cluster.ListPVCs(ctx, t.ns, t.app)
	if err != nil || len(list) == 0 {
		return gone, err
	}
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
		if !t.deleteData {
			continue
		}
		if err := t.cluster.DeletePVC(ctx, t.ns, c.Name); err != nil {
			return pipeline.Result{}, err
		}
	}
	if !t.deleteData {
		return pipeline.Result{State: pipeline.Skipped, Detail: strings.Join(names, ", ") + " kept with the data (--delete-data deletes)"}, nil
	}
	return pipeline.Result{State: pipeline.Deleted, Detail: strings.Join(names, ", ") + ", with the data"}, nil
}
