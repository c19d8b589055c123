package forge

import (
	"cmp"
	"context"
	"maps"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// checkPods returns a *RefusedError if the API server would refuse the app's Pods: those of its workloads after this
// forge, of its migration and of its calls. It asks for one of each kind.
func (r *run) checkPods(ctx context.Context) error {
	a := &admission{cluster: r.cluster, to: r.to}
	var trials []func(context.Context) (*trial, error)
	for _, one := range r.runs() {
		switch one.spec.Role {
		case infraspec.Webserver, infraspec.Worker:
			trials = append(trials, one.tryDeployment)
		case infraspec.Cron:
			trials = append(trials, one.tryCronJob)
		case infraspec.Function:
		}
	}
	return a.run(ctx, append(trials, jobTrials(r.spec, r.options)...)...)
}

// CheckVersion returns a *RefusedError if the API server would refuse the Pods of a version that a deploy ships without
// a forge: those of the live workload with the version's image, of its migration and of its calls. kind and template
// are those of the workload; a function app has none.
func CheckVersion(
	ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, o Options, live Workload,
) error {
	a := &admission{cluster: cluster, to: to}
	trials := jobTrials(live.Spec, o)
	if live.Template != nil {
		trials = append(trials, func(context.Context) (*trial, error) {
			t := o.trialOf(live.Kind, live.Spec, live.Template)
			t.full = warn
			return t, nil
		})
	}
	return a.run(ctx, trials...)
}

// Workload is the live workload of an app.
type Workload struct {
	Spec     *infraspec.Spec
	Kind     string                  // Deployment or CronJob
	Template *corev1.PodTemplateSpec // nil if there is none
}

// tryDeployment returns the trial of the Deployment as a forge makes it. Only the API server knows which fields others
// have set.
func (r *run) tryDeployment(ctx context.Context) (*trial, error) {
	live := r.live.deployment
	conf, _, err := objects.DeploymentFor(live, r.spec, r.options.Settings)
	if err != nil {
		return nil, err
	}
	dry := *r
	dry.cluster, dry.dry = r.cluster.DryRun(), true
	now, err := dry.sharedDeployment(ctx, live, conf)
	if message, refused := k8s.Refusal(err); refused {
		return &trial{spec: r.spec, what: objects.KindDeployment + " " + r.spec.Workload(), refused: message}, nil
	}
	if err != nil {
		return nil, err
	}
	t := r.options.trialOf(objects.KindDeployment, r.spec, &now.Spec.Template)
	t.full = fullFor(live, now)
	return t, nil
}

// fullFor returns what it means for a Deployment that a quota has no room for one more Pod.
func fullFor(live, now *appsv1.Deployment) onFullQuota {
	replicas := int32(1)
	if now.Spec.Replicas != nil {
		replicas = *now.Spec.Replicas
	}
	switch {
	case replicas == 0: // no Pod starts
		return ignore
	case live == nil || live.Status.Replicas == 0:
		return refuse
	case now.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType:
		return ignore
	}
	limits := now.Spec.Strategy.RollingUpdate
	if limits == nil || limits.MaxUnavailable == nil {
		return warn
	}
	missing, err := intstr.GetScaledValueFromIntOrPercent(limits.MaxUnavailable, int(replicas), false)
	if err == nil && missing > 0 {
		return ignore
	}
	return warn
}

// tryCronJob returns the trial of the CronJob as a forge makes it.
func (r *run) tryCronJob(ctx context.Context) (*trial, error) {
	live := r.live.cronJob
	conf, _, err := objects.CronJobFor(live, r.spec, r.options.Settings)
	if err != nil {
		return nil, err
	}
	dry := *r
	dry.cluster, dry.dry = r.cluster.DryRun(), true
	now, err := dry.applyCronJob(ctx, live, conf)
	if message, refused := k8s.Refusal(err); refused {
		return &trial{spec: r.spec, what: objects.KindCronJob + " " + r.spec.Workload(), refused: message}, nil
	}
	if err != nil {
		return nil, err
	}
	t := r.options.trialOf(objects.KindCronJob, r.spec, &now.Spec.JobTemplate.Spec.Template)
	t.full = warn // its next run is later
	return t, nil
}

// jobTrials returns the trials of the Jobs that norn itself creates: migrations, verify, and calls of a function.
func jobTrials(spec *infraspec.Spec, o Options) []func(context.Context) (*trial, error) {
	var trials []func(context.Context) (*trial, error)
	add := func(kind, what string, pod func(image string) (*corev1.PodSpec, error)) {
		trials = append(trials, func(context.Context) (*trial, error) {
			image, assumed := o.nextImage(spec.App)
			made, err := pod(image)
			if err != nil {
				return nil, err
			}
			made.RestartPolicy = corev1.RestartPolicyNever
			template := &corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: objects.JobLabels(spec.App, kind)}, Spec: *made,
			}
			pod := podOf(o.Namespace, spec.App, "Job", template)
			return &trial{spec: spec, what: what, pod: pod, assumed: assumed, full: warn}, nil
		})
	}
	if len(spec.Migrations.Command) > 0 {
		add("migrate", "the Pod of the migration", func(image string) (*corev1.PodSpec, error) {
			return objects.Migration(spec, o.Settings, image)
		})
	}
	if len(spec.Verify) > 0 && spec.Role.Standing() {
		add(objects.VerifyJob, "the Pod of verify's command", func(image string) (*corev1.PodSpec, error) {
			return objects.Verify(spec, o.Settings, image, "")
		})
	}
	if spec.Role == infraspec.Function {
		add("call", "the Pods of the function's calls", func(image string) (*corev1.PodSpec, error) {
			s := o.Settings
			s.Image = image
			return objects.Function(spec, s, "")
		})
	}
	return trials
}

// trialOf returns the trial of a workload's Pods. Before a deploy, and before the first one, they have the image of the
// next deploy.
func (o Options) trialOf(kind string, spec *infraspec.Spec, template *corev1.PodTemplateSpec) *trial {
	owner := "Job"
	if kind == objects.KindDeployment {
		owner = "ReplicaSet"
	}
	app, name := spec.App, spec.Workload()
	t := &trial{spec: spec, what: "the Pods of " + kind + " " + name, pod: podOf(o.Namespace, name, owner, template)}
	c := metadata.AppContainer(&t.pod.Spec, app)
	if c != nil && (o.DeployFollows || c.Image == objects.BeforeFirstDeploy(app).Image) {
		c.Image, t.assumed = o.nextImage(app)
		if policy, err := objects.PullPolicy(c.Image); err == nil {
			c.ImagePullPolicy = policy
		}
	}
	return t
}

// anyDigest stands for the digest of an image that a deploy is going to push.
var anyDigest = "@sha256:" + strings.Repeat("0", 64)

// nextImage returns the name of the image that new Pods will run, and the same as assumed if it need not exist yet.
// Policies judge names: they forbid tags such as latest, and registries.
func (o Options) nextImage(app string) (image, assumed string) {
	image = cmp.Or(o.Image, o.NextImage, objects.BeforeFirstDeploy(app).Image)
	if o.Image != "" || strings.Contains(image, "@") {
		return image, ""
	}
	if policy, err := objects.PullPolicy(image); err == nil && policy != corev1.PullNever {
		return image + anyDigest, image // a deploy ships pushed images by digest
	}
	return image, image
}

// podOf returns a Pod as a controller would create it from a template. Some policies refuse Pods without an owner.
func podOf(ns, name, owner string, template *corev1.PodTemplateSpec) *corev1.Pod {
	controls := true
	group := appsv1.SchemeGroupVersion
	if owner == "Job" {
		group = batchv1.SchemeGroupVersion
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: name + "-", Namespace: ns,
			Labels: maps.Clone(template.Labels), Annotations: maps.Clone(template.Annotations),
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: group.String(), Kind: owner, Name: name, UID: types.UID("00000000-0000-0000-0000-000000000000"),
				Controller: &controls,
			}},
		},
		Spec: *template.Spec.DeepCopy(),
	}
}
