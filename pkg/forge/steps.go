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
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applybatch "k8s.io/client-go/applyconfigurations/batch/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

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
	for _, conf := range Claims(r.spec, r.options.Settings) {
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
		if _, err := r.adopt(ctx, kindClaim, before); err != nil {
			return pipeline.Result{}, err
		}
		now, err := r.cluster.CreatePVC(ctx, conf)
		if err != nil {
			return pipeline.Result{}, err
		}
		return r.record(kindClaim, *conf.Name, before, now, conf.Spec.Resources.Requests.Storage().String()), nil
	}
}

func (r *run) deployment(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	live := r.live.deployment
	shipped := live != nil && deployed(live)
	if shipped && r.options.Image != "" {
		return pipeline.Result{}, fmt.Errorf("%s has been deployed, and forge leaves its image alone: ship %s with norn deploy --image", r.spec.App, r.options.Image)
	}
	conf, detail, err := DeploymentBeside(live, r.spec, r.options.Settings)
	if err != nil {
		return pipeline.Result{}, err
	}
	if adopted, err := r.adopt(ctx, kindDeployment, object(live)); err != nil {
		return pipeline.Result{}, err
	} else if adopted != "" {
		detail = adopted
	}
	if held, err := r.deployDecides(live, conf); err != nil {
		return pipeline.Result{}, err
	} else if held {
		conf.Spec.WithPaused(true)
	}
	if len(r.heldBack) > 0 {
		conf.Spec.WithPaused(true)
		detail += fmt.Sprintf("; paused until norn deploy brings %s, and its pods run on", strings.Join(r.heldBack, ", "))
	}
	now, err := r.applyDeployment(ctx, live, conf)
	if err != nil {
		return pipeline.Result{}, err
	}
	if conf.Spec.Replicas == nil && int(*now.Spec.Replicas) != r.spec.Replicas {
		detail = strings.TrimPrefix(fmt.Sprintf("%s; its %d replicas are left to %s", detail, *now.Spec.Replicas, scaler(now)), "; ")
	}
	if live != nil && !now.Spec.Paused && !equality.Semantic.DeepEqual(live.Spec.Template, now.Spec.Template) {
		detail = strings.TrimPrefix(detail+"; its pods are being replaced: norn logs -f", "; ")
	}
	return r.record(kindDeployment, r.spec.App, object(live), now, detail), nil
}

// deployDecides reports whether a Deployment is to be paused for the deploy that follows: where something changes, and pods run.
func (r *run) deployDecides(live *appsv1.Deployment, conf *applyapps.DeploymentApplyConfiguration) (bool, error) {
	if !r.options.deployFollows || live == nil || live.Spec.Paused {
		return false, nil
	}
	changed, err := Drift(conf, live)
	return len(changed) > 0, err
}

// applyDeployment applies the Deployment, and makes way for a change to Recreate, which the parameters of a rolling update
// would stand in the way of. A dry run keeps no such preparation, so that there the change is made to its answer.
func (r *run) applyDeployment(ctx context.Context, live *appsv1.Deployment, conf *applyapps.DeploymentApplyConfiguration) (*appsv1.Deployment, error) {
	recreate := live != nil && live.Spec.Strategy.RollingUpdate != nil && *conf.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType
	switch {
	case recreate && r.dry:
		conf.Spec.Strategy = nil
		now, err := r.cluster.CreateDeployment(ctx, conf)
		if err == nil {
			now.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
		}
		return now, err
	case recreate:
		if err := r.cluster.UseRecreateStrategy(ctx, r.options.Namespace, r.spec.App); err != nil {
			return nil, err
		}
	}
	return r.cluster.CreateDeployment(ctx, conf)
}

// DeploymentBeside is the Deployment as forge applies it beside live, which is nil where there is none: without what a deploy or an
// autoscaler has made its own. The text says in one line how it starts, if it does.
func DeploymentBeside(live *appsv1.Deployment, spec *infraspec.Spec, s Settings) (*applyapps.DeploymentApplyConfiguration, string, error) {
	var start *Start
	detail := ""
	switch {
	case live != nil && deployed(live):
	case s.Image != "":
		start, detail = &Start{Image: s.Image}, "starts with "+s.Image
	case live != nil && image(live, spec.App) != "" && (!live.Spec.Paused || image(live, spec.App) != BeforeFirstDeploy(spec.App).Image): // forged with --image before, or adopted
		start = &Start{Image: image(live, spec.App), Paused: live.Spec.Paused}
	default:
		start, detail = BeforeFirstDeploy(spec.App), "paused until the first deploy"
	}
	conf, err := Deployment(spec, s, start)
	if err == nil && live != nil && autoscaled(live) {
		conf.Spec.Replicas = nil
	}
	return conf, detail, err
}

// image is what a Deployment's container of the app's name runs, or its first container, or "".
func image(d *appsv1.Deployment, app string) string {
	containers := d.Spec.Template.Spec.Containers
	i := max(0, slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == app }))
	if len(containers) == 0 {
		return ""
	}
	return containers[i].Image
}

// deployed reports whether a deploy has set the image: its field manager has applied then. (A restart only patches.)
func deployed(o metav1.Object) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool {
		return m.Manager == metadata.DeployManager && m.Operation == metav1.ManagedFieldsOperationApply
	})
}

// autoscaled reports whether a controller sets the replicas, which are its own then. A person's kubectl scale is no such thing.
func autoscaled(d *appsv1.Deployment) bool { return scaler(d) != "" }

// scaler is the controller that sets the replicas, or "".
func scaler(d *appsv1.Deployment) string {
	for _, m := range d.ManagedFields {
		if m.Subresource == "scale" && !strings.HasPrefix(m.Manager, "kubectl") {
			return m.Manager
		}
	}
	return ""
}

func (r *run) cronJob(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	live := r.live.cronJob
	if live != nil && deployed(live) && r.options.Image != "" {
		return pipeline.Result{}, fmt.Errorf("%s has been deployed, and forge leaves its image alone: ship %s with norn deploy --image", r.spec.App, r.options.Image)
	}
	conf, detail, err := CronJobBeside(live, r.spec, r.options.Settings)
	if err != nil {
		return pipeline.Result{}, err
	}
	if adopted, err := r.adopt(ctx, kindCronJob, object(live)); err != nil {
		return pipeline.Result{}, err
	} else if adopted != "" {
		detail = adopted
	}
	now, err := r.cluster.CreateCronJob(ctx, conf)
	if err != nil {
		return pipeline.Result{}, err
	}
	return r.record(kindCronJob, r.spec.App, object(live), now, detail), nil
}

// CronJobBeside is the CronJob as forge applies it beside live, as DeploymentBeside is for Deployments.
func CronJobBeside(live *batchv1.CronJob, spec *infraspec.Spec, s Settings) (*applybatch.CronJobApplyConfiguration, string, error) {
	var start *Start
	detail := spec.Schedule
	switch {
	case live != nil && deployed(live):
	case s.Image != "":
		start = &Start{Image: s.Image}
	case live != nil && (live.Spec.Suspend == nil || !*live.Spec.Suspend):
		start = &Start{Image: live.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Image}
	default:
		start, detail = BeforeFirstDeploy(spec.App), "suspended until the first deploy"
	}
	conf, err := CronJob(spec, s, start)
	return conf, detail, err
}

func (r *run) service(conf *applycore.ServiceApplyConfiguration) stepFunc {
	return func(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
		before := object(r.live.services[*conf.Name])
		if _, err := r.adopt(ctx, kindService, before); err != nil {
			return pipeline.Result{}, err
		}
		now, err := r.cluster.CreateService(ctx, conf)
		if err != nil {
			return pipeline.Result{}, err
		}
		return r.record(kindService, *conf.Name, before, now, fmt.Sprintf("port 80 to %d", r.spec.Port)), nil
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
			r.changes = append(r.changes, Change{Kind: kind, Name: o.GetName(), State: pipeline.Deleted, Before: o})
			return pipeline.Result{State: pipeline.Deleted, Detail: "no longer in the infraspec"}, nil
		}})
	}
	wanted := Service(r.spec, r.options.Settings)
	for _, name := range slices.Sorted(maps.Keys(r.live.services)) {
		if wanted == nil || name != *wanted.Name {
			gone(kindService, r.live.services[name], r.cluster.DeleteService)
		}
	}
	standing := r.spec.Role == infraspec.Webserver || r.spec.Role == infraspec.Worker
	if r.live.deployment != nil && !standing {
		gone(kindDeployment, r.live.deployment, r.cluster.DeleteDeployment)
	}
	if r.live.cronJob != nil && r.spec.Role != infraspec.Cron {
		gone(kindCronJob, r.live.cronJob, r.cluster.DeleteCronJob)
	}
	kept := maps.Clone(r.live.claims)
	for _, conf := range Claims(r.spec, r.options.Settings) {
		delete(kept, *conf.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		steps = append(steps, pipeline.Step{Name: kindClaim + " " + name, Run: func(context.Context, io.Writer) (pipeline.Result, error) {
			return pipeline.Result{State: pipeline.Skipped, Detail: "no longer in the infraspec; kept with its data"}, nil
		}})
	}
	return steps
}
