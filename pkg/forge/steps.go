package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

type stepFunc = func(context.Context, io.Writer) (pipeline.Result, error)

// object makes a typed nil an untyped one.
func object[T any, P interface {
	*T
	metadata.Object
}](o P) metadata.Object {
	if o == nil {
		return nil
	}
	return o
}

// ShrinkError says that a claim is larger than the infraspec asks for. Kubernetes cannot make it smaller.
type ShrinkError struct{ Claim, Have, Want string }

// Error names the claim and both sizes.
func (e *ShrinkError) Error() string {
	return fmt.Sprintf("PersistentVolumeClaim %s has %s, and the infraspec asks for %s: a claim cannot shrink", e.Claim, e.Have, e.Want)
}

// Hint is what to do about it.
func (e *ShrinkError) Hint() string {
	return fmt.Sprintf("say size: %s, or give the volume another name, and move the data", e.Have)
}

// shrinks refuses sizes that are smaller than the claims are.
func (r *run) shrinks() error {
	var errs []error
	for _, conf := range objects.Claims(r.spec, r.options.Settings) {
		live := r.live.claims[*conf.Name]
		if live == nil {
			continue
		}
		want, have := conf.Spec.Resources.Requests.Storage(), live.Spec.Resources.Requests.Storage()
		if want.Cmp(*have) < 0 {
			errs = append(errs, &ShrinkError{*conf.Name, have.String(), want.String()})
		}
	}
	return errors.Join(errs...)
}

func (r *run) claim(conf *applycore.PersistentVolumeClaimApplyConfiguration) stepFunc {
	return func(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
		before := object(r.live.claims[*conf.Name])
		if _, err := r.adopt(ctx, objects.KindClaim, before); err != nil {
			return pipeline.Result{}, err
		}
		now, err := r.cluster.ApplyPVC(ctx, conf)
		if err != nil {
			return pipeline.Result{}, err
		}
		return r.record(objects.KindClaim, *conf.Name, before, now, conf.Spec.Resources.Requests.Storage().String()), nil
	}
}

func (r *run) deployment(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	live := r.live.deployment
	shipped := live != nil && objects.Deployed(live)
	if shipped && r.options.Image != "" {
		return pipeline.Result{}, fmt.Errorf("%s has been deployed, and forge leaves its image alone: ship %s with norn deploy --image", r.spec.App, r.options.Image)
	}
	conf, detail, err := objects.DeploymentFor(live, r.spec, r.options.Settings)
	if err != nil {
		return pipeline.Result{}, err
	}
	if adopted, err := r.adopt(ctx, objects.KindDeployment, object(live)); err != nil {
		return pipeline.Result{}, err
	} else if adopted != "" {
		detail = adopted
	}
	if held, err := r.deployDecides(live, conf); err != nil {
		return pipeline.Result{}, err
	} else if held {
		conf.Spec.WithPaused(true)
	}
	if len(r.deferredKeys) > 0 {
		conf.Spec.WithPaused(true)
		detail += fmt.Sprintf("; paused until norn deploy brings %s, and its pods run on", strings.Join(r.deferredKeys, ", "))
	}
	now, err := r.applyDeployment(ctx, live, conf)
	if err != nil {
		return pipeline.Result{}, err
	}
	if conf.Spec.Replicas == nil && int(*now.Spec.Replicas) != r.spec.Replicas {
		detail = strings.TrimPrefix(fmt.Sprintf("%s; its %d replicas are left to %s", detail, *now.Spec.Replicas, objects.Scaler(now)), "; ")
	}
	if live != nil && !now.Spec.Paused && !equality.Semantic.DeepEqual(live.Spec.Template, now.Spec.Template) {
		detail = strings.TrimPrefix(detail+"; its pods are being replaced: norn logs -f", "; ")
	}
	return r.record(objects.KindDeployment, r.spec.App, object(live), now, detail), nil
}

// deployDecides reports whether a Deployment is to be paused for the deploy that follows: where something changes, and pods run.
func (r *run) deployDecides(live *appsv1.Deployment, conf *applyapps.DeploymentApplyConfiguration) (bool, error) {
	if !r.options.deployFollows || live == nil || live.Spec.Paused {
		return false, nil
	}
	changed, err := drift.Fields(conf, live)
	return len(changed) > 0, err
}

// applyDeployment applies the Deployment, and makes way for a change to Recreate, which the parameters of a rolling update
// would stand in the way of. A dry run keeps no such preparation, so that there the change is made to its answer.
func (r *run) applyDeployment(ctx context.Context, live *appsv1.Deployment, conf *applyapps.DeploymentApplyConfiguration) (*appsv1.Deployment, error) {
	recreate := live != nil && live.Spec.Strategy.RollingUpdate != nil && *conf.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType
	switch {
	case recreate && r.dry:
		conf.Spec.Strategy = nil
		now, err := r.cluster.ApplyDeployment(ctx, conf)
		if err == nil {
			now.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
		}
		return now, err
	case recreate:
		if err := r.cluster.UseRecreateStrategy(ctx, r.options.Namespace, r.spec.App); err != nil {
			return nil, err
		}
	}
	return r.cluster.ApplyDeployment(ctx, conf)
}

func (r *run) cronJob(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	live := r.live.cronJob
	if live != nil && objects.Deployed(live) && r.options.Image != "" {
		return pipeline.Result{}, fmt.Errorf("%s has been deployed, and forge leaves its image alone: ship %s with norn deploy --image", r.spec.App, r.options.Image)
	}
	conf, detail, err := objects.CronJobFor(live, r.spec, r.options.Settings)
	if err != nil {
		return pipeline.Result{}, err
	}
	if adopted, err := r.adopt(ctx, objects.KindCronJob, object(live)); err != nil {
		return pipeline.Result{}, err
	} else if adopted != "" {
		detail = adopted
	}
	now, err := r.cluster.ApplyCronJob(ctx, conf)
	if err != nil {
		return pipeline.Result{}, err
	}
	return r.record(objects.KindCronJob, r.spec.App, object(live), now, detail), nil
}

func (r *run) service(conf *applycore.ServiceApplyConfiguration) stepFunc {
	return func(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
		before := object(r.live.services[*conf.Name])
		if _, err := r.adopt(ctx, objects.KindService, before); err != nil {
			return pipeline.Result{}, err
		}
		now, err := r.cluster.ApplyService(ctx, conf)
		if err != nil {
			return pipeline.Result{}, err
		}
		return r.record(objects.KindService, *conf.Name, before, now, fmt.Sprintf("port 80 to %d", r.spec.Port)), nil
	}
}

// pruneSteps take away what the infraspec no longer asks for: Services under other names, the workload of another role. Claims hold
// data, so that they are only told of.
func (r *run) pruneSteps() []pipeline.Step {
	var steps []pipeline.Step
	gone := func(kind string, o metadata.Object, remove func(ctx context.Context, ns, name string) error) {
		steps = append(steps, pipeline.Step{Name: kind + " " + o.GetName(), Run: func(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
			if err := remove(ctx, r.options.Namespace, o.GetName()); err != nil {
				return pipeline.Result{}, err
			}
			r.changes = append(r.changes, drift.Change{Kind: kind, Name: o.GetName(), State: pipeline.Deleted, Before: o})
			return pipeline.Result{State: pipeline.Deleted, Detail: "no longer in the infraspec"}, nil
		}})
	}
	wanted := objects.Service(r.spec, r.options.Settings)
	for _, name := range slices.Sorted(maps.Keys(r.live.services)) {
		if wanted == nil || name != *wanted.Name {
			gone(objects.KindService, r.live.services[name], r.cluster.DeleteService)
		}
	}
	standing := r.spec.Role == infraspec.Webserver || r.spec.Role == infraspec.Worker
	if r.live.deployment != nil && !standing {
		gone(objects.KindDeployment, r.live.deployment, r.cluster.DeleteDeployment)
	}
	if r.live.cronJob != nil && r.spec.Role != infraspec.Cron {
		gone(objects.KindCronJob, r.live.cronJob, r.cluster.DeleteCronJob)
	}
	kept := maps.Clone(r.live.claims)
	for _, conf := range objects.Claims(r.spec, r.options.Settings) {
		delete(kept, *conf.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		steps = append(steps, pipeline.Step{Name: objects.KindClaim + " " + name, Run: func(context.Context, io.Writer) (pipeline.Result, error) {
			return pipeline.Result{State: pipeline.Skipped, Detail: "no longer in the infraspec; kept with its data"}, nil
		}})
	}
	return steps
}
