package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// object converts o to an interface, and a nil pointer to a nil interface.
func object[T any, P interface {
	*T
	metadata.Object
}](o P) metadata.Object {
	if o == nil {
		return nil
	}
	return o
}

// ShrinkError reports that a claim is larger than the infraspec asks for. Kubernetes cannot shrink a claim.
type ShrinkError struct{ Claim, Have, Want string }

// Error names the claim and both sizes.
func (e *ShrinkError) Error() string {
	return fmt.Sprintf(
		"PersistentVolumeClaim %s has %s, but the infraspec asks for %s: a claim cannot shrink", e.Claim, e.Have, e.Want,
	)
}

// Hint returns what to change.
func (e *ShrinkError) Hint() string {
	return fmt.Sprintf("set size: %s, or rename the volume and move the data", e.Have)
}

// checkSizes returns an error if the infraspec asks for less storage than an existing claim has.
func (r *run) checkSizes() error {
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

func claim(conf *applycore.PersistentVolumeClaimApplyConfiguration) changeFunc {
	return func(r *run, ctx context.Context) (drift.Change, pipeline.Result, error) {
		before := object(r.live.claims[*conf.Name])
		// An adoption takes over no fields: what the file does not name, such as the storage class, is immutable.
		now, err := r.cluster.CreatePVC(ctx, conf)
		if err == nil {
			now, err = mark(ctx, r, now, "")
		}
		if err != nil {
			return drift.Change{}, pipeline.Result{}, err
		}
		change, result := r.outcome(objects.KindClaim, before, now, conf.Spec.Resources.Requests.Storage().String())
		return change, result, nil
	}
}

func (r *run) deployment(ctx context.Context) (drift.Change, pipeline.Result, error) {
	live, err := r.currentDeployment(ctx)
	if err != nil {
		return drift.Change{}, pipeline.Result{}, err
	}
	shipped := live != nil && objects.Deployed(live)
	if shipped && r.options.Image != "" {
		return drift.Change{}, pipeline.Result{}, fmt.Errorf(
			"%s is already deployed, and norn forge does not change its image: deploy %s with norn deploy --image",
			r.spec.App, r.options.Image,
		)
	}
	conf, detail, err := objects.DeploymentFor(live, r.spec, r.options.Settings)
	if err != nil {
		return drift.Change{}, pipeline.Result{}, err
	}
	if adopted, err := r.adopt(ctx, objects.KindDeployment, object(live)); err != nil {
		return drift.Change{}, pipeline.Result{}, err
	} else if adopted != "" {
		detail = adopted
	}
	if pause, err := r.pausedForDeploy(ctx, live, conf); err != nil {
		return drift.Change{}, pipeline.Result{}, err
	} else if pause {
		conf.Spec.WithPaused(true)
	}
	if len(r.deferredKeys) > 0 {
		conf.Spec.WithPaused(true)
		detail += fmt.Sprintf("; paused until norn deploy adds %s; its Pods keep running", strings.Join(r.deferredKeys, ", "))
	}
	now, err := r.sharedDeployment(ctx, live, conf)
	if err != nil {
		return drift.Change{}, pipeline.Result{}, err
	}
	if now, err = mark(ctx, r, now, r.options.Repository); err != nil { // a deploy must still revert the change
		change, _ := r.outcome(objects.KindDeployment, object(live), now, "")
		return change, pipeline.Result{}, err
	}
	scaled := r.scaledBy(ctx)
	detail = strings.TrimPrefix(strings.TrimSuffix(detail+"; "+scaled, "; "), "; ")
	if live != nil && !equality.Semantic.DeepEqual(live.Spec.Template, now.Spec.Template) {
		detail = strings.Trim(detail+"; "+r.replaced(live, now), "; ")
	}
	change, result := r.outcome(objects.KindDeployment, object(live), now, detail)
	if result.State == pipeline.Unchanged {
		result.Detail = scaled
	}
	return change, result, nil
}

// scaledBy says which autoscaler overrides the infraspec's replicas, or returns "".
func (r *run) scaledBy(ctx context.Context) string {
	live := r.live.deployment
	if live == nil || metadata.Scaler(live) == "" || int(*live.Spec.Replicas) == r.spec.Replicas {
		return ""
	}
	return fmt.Sprintf(
		"%s sets its replicas: %d instead of %d", r.cluster.Autoscaler(ctx, live), *live.Spec.Replicas, r.spec.Replicas,
	)
}

// applyDeployment applies the Deployment. A change to Recreate first needs another write, which removes the parameters
// of the rolling update. A dry run does not store that write, so applyDeployment instead sets the strategy in the API
// server's answer.
func (r *run) applyDeployment(
	ctx context.Context, live *appsv1.Deployment, conf *applyapps.DeploymentApplyConfiguration,
) (*appsv1.Deployment, error) {
	recreate := live != nil && live.Spec.Strategy.RollingUpdate != nil &&
		*conf.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType
	switch {
	case live != nil && r.dry && !metadata.IsOwned(live, r.spec.App):
		return plan(ctx, r, live, conf)
	case recreate && r.dry:
		conf.Spec.Strategy = nil
		now, err := r.cluster.CreateDeployment(ctx, conf)
		if err == nil {
			now.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
		}
		return now, err
	case recreate:
		if err := r.cluster.UseRecreateStrategy(ctx, r.options.Namespace, r.spec.Workload()); err != nil {
			return nil, err
		}
	}
	return r.cluster.CreateDeployment(ctx, conf)
}

func (r *run) cronJob(ctx context.Context) (drift.Change, pipeline.Result, error) {
	live := r.live.cronJob
	if live != nil && objects.Deployed(live) && r.options.Image != "" {
		return drift.Change{}, pipeline.Result{}, fmt.Errorf(
			"%s is already deployed, and norn forge does not change its image: deploy %s with norn deploy --image",
			r.spec.App, r.options.Image,
		)
	}
	conf, detail, err := objects.CronJobFor(live, r.spec, r.options.Settings)
	if err != nil {
		return drift.Change{}, pipeline.Result{}, err
	}
	if adopted, err := r.adopt(ctx, objects.KindCronJob, object(live)); err != nil {
		return drift.Change{}, pipeline.Result{}, err
	} else if adopted != "" {
		detail = adopted
	}
	now, err := r.applyCronJob(ctx, live, conf)
	if err == nil {
		now, err = mark(ctx, r, now, r.options.Repository)
	}
	if err != nil {
		return drift.Change{}, pipeline.Result{}, err
	}
	change, result := r.outcome(objects.KindCronJob, object(live), now, detail)
	return change, result, nil
}

func service(conf *applycore.ServiceApplyConfiguration) changeFunc {
	return func(r *run, ctx context.Context) (drift.Change, pipeline.Result, error) {
		before := object(r.live.services[*conf.Name])
		if _, err := r.adopt(ctx, objects.KindService, before); err != nil {
			return drift.Change{}, pipeline.Result{}, err
		}
		now, err := r.applyService(ctx, r.live.services[*conf.Name], conf)
		if err == nil {
			now, err = mark(ctx, r, now, "")
		}
		if err != nil {
			return drift.Change{}, pipeline.Result{}, err
		}
		change, result := r.outcome(objects.KindService, before, now, fmt.Sprintf("port 80 to %d", r.spec.Port))
		return change, result, nil
	}
}

// applyService applies the Service. If another port has the name of norn's, that port first becomes norn's.
func (r *run) applyService(
	ctx context.Context, live *corev1.Service, conf *applycore.ServiceApplyConfiguration,
) (*corev1.Service, error) {
	adopts := live != nil && !metadata.IsOwned(live, r.spec.App)
	freed := drift.FreedPorts(live, conf)
	switch {
	case r.dry && (adopts || freed != nil):
		return plan(ctx, r, cmp.Or(freed, live), conf)
	case freed != nil && !adopts: // an adoption removes the other port
		patch, err := drift.PortsPatch(freed)
		if err != nil {
			return nil, err
		}
		if _, err := r.cluster.PatchJSON(ctx, live, patch); err != nil {
			return nil, err
		}
	}
	return r.cluster.CreateService(ctx, conf)
}

// pruneSteps returns the steps that remove objects that the infraspec no longer names: Services under other names, and
// the workloads of dropped processes and of other roles. Claims hold data, so norn only reports them.
func (r *run) pruneSteps() []Step {
	var steps []Step
	prune := func(kind string, o metadata.Object) {
		change := func(r *run, ctx context.Context) (drift.Change, pipeline.Result, error) {
			err := r.cluster.Delete(ctx, o)
			if foreign, ok := errors.AsType[*k8s.ForeignError](err); ok {
				return drift.Change{}, pipeline.Result{State: pipeline.Skipped, Detail: foreign.Why()}, nil
			}
			if err != nil {
				return drift.Change{}, pipeline.Result{}, err
			}
			deleted := drift.Change{Kind: kind, Name: o.GetName(), State: pipeline.Deleted, Before: o}
			detail := "no longer in the infraspec"
			if held := foreignFinalizers(o); len(held) > 0 {
				detail += "; waiting for finalizer " + strings.Join(held, ", ")
			}
			return deleted, pipeline.Result{State: pipeline.Deleted, Detail: detail}, nil
		}
		steps = append(steps, r.objectStep(kind, o.GetName(), change))
	}
	wanted := map[string]bool{}
	for _, w := range r.spec.Workloads() {
		if conf := objects.Service(w, r.options.Settings); conf != nil {
			wanted[*conf.Name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.live.services)) {
		if !wanted[name] {
			prune(objects.KindService, r.live.services[name])
		}
	}
	for _, o := range r.prunedRoutes() {
		prune(o.kind, o.object)
		if objects.RouteKind(r.spec) != "" {
			last := &steps[len(steps)-1]
			last.Run = r.unlessNeeded(last.Run)
		}
	}
	for _, one := range r.runs() {
		if own := one.live.disruption.own; own != nil && one.wantedDisruption() == nil {
			prune(objects.KindDisruptionBudget, own)
		}
	}
	for _, o := range r.live.dropped {
		prune(o.kind, o.object)
	}
	if r.live.deployment != nil && !r.spec.Role.Standing() {
		prune(objects.KindDeployment, r.live.deployment)
	}
	if r.live.cronJob != nil && r.spec.Role != infraspec.Cron {
		prune(objects.KindCronJob, r.live.cronJob)
	}
	kept := maps.Clone(r.live.claims)
	for _, conf := range objects.Claims(r.spec, r.options.Settings) {
		delete(kept, *conf.Name)
	}
	keep := pipeline.Fixed(drift.Change{}, pipeline.Skipped, "no longer in the infraspec; kept with its data")
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		steps = append(steps, Step{Name: objects.KindClaim + " " + name, Run: keep, Plan: keep})
	}
	for _, f := range r.live.foreign {
		keep := pipeline.Fixed(drift.Change{}, pipeline.Skipped, f.Why())
		steps = append(steps, Step{Name: f.Kind + " " + f.Name, Run: keep, Plan: keep})
	}
	return steps
}
