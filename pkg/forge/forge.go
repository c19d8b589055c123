package forge

import (
	"context"
	"fmt"
	"io"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/internal/pipeline"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// Cluster is what forge asks of a cluster.
type Cluster interface {
	claims
	deployments
	services
}

type claims interface {
	GetPVC(ctx context.Context, ns, name string) (*corev1.PersistentVolumeClaim, error)
	CreatePVC(ctx context.Context, conf *applycore.PersistentVolumeClaimApplyConfiguration) (*corev1.PersistentVolumeClaim, error)
}

type deployments interface {
	GetDeployment(ctx context.Context, ns, name string) (*appsv1.Deployment, error)
	CreateDeployment(ctx context.Context, conf *applyapps.DeploymentApplyConfiguration) (*appsv1.Deployment, error)
}

type services interface {
	GetService(ctx context.Context, ns, name string) (*corev1.Service, error)
	CreateService(ctx context.Context, conf *applycore.ServiceApplyConfiguration) (*corev1.Service, error)
}

var _ Cluster = (*k8s.Client)(nil)

// Run brings the cluster to what spec says. image, if not "", is what the app starts with at once;
// otherwise a new Deployment stays paused until its first deploy.
func Run(ctx context.Context, cluster Cluster, to pipeline.Reporter, spec *infraspec.Spec, s Settings, image string) error {
	if spec.Role != infraspec.Webserver && spec.Role != infraspec.Worker {
		return fmt.Errorf("forge cannot make a %s yet, only webservers and workers", spec.Role)
	}
	r := &run{cluster: cluster, spec: spec, settings: s, image: image}
	var steps []pipeline.Step
	for _, conf := range Claims(spec, s) {
		steps = append(steps, pipeline.Step{Name: "PersistentVolumeClaim " + *conf.Name, Run: r.claim(conf)})
	}
	steps = append(steps, pipeline.Step{Name: "Deployment " + spec.App, Run: r.deployment})
	if conf := Service(spec, s); conf != nil {
		steps = append(steps, pipeline.Step{Name: "Service " + *conf.Name, Run: r.service(conf)})
	}
	if spec.Hosts.External != "" {
		steps = append(steps, pipeline.Step{Name: "Tunnel " + spec.Hosts.External, Run: tunnel})
	}
	return pipeline.Run(ctx, to, steps)
}

type run struct {
	cluster  Cluster
	spec     *infraspec.Spec
	settings Settings
	image    string
}

type stepFunc = func(context.Context, io.Writer) (pipeline.Result, error)

func (r *run) claim(conf *applycore.PersistentVolumeClaimApplyConfiguration) stepFunc {
	return func(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
		want := conf.Spec.Resources.Requests.Storage()
		live, err := found(r.cluster.GetPVC(ctx, r.settings.Namespace, *conf.Name))
		if err != nil {
			return pipeline.Result{}, err
		}
		if live != nil {
			if err := r.owned("PersistentVolumeClaim", live); err != nil {
				return pipeline.Result{}, err
			}
			if have := live.Spec.Resources.Requests.Storage(); want.Cmp(*have) < 0 {
				return pipeline.Result{}, shrinks(*conf.Name, have, want)
			}
		}
		now, err := r.cluster.CreatePVC(ctx, conf)
		if err != nil {
			return pipeline.Result{}, err
		}
		return compared(live, now, want.String()), nil
	}
}

func shrinks(name string, have, want *resource.Quantity) error {
	return fmt.Errorf("PersistentVolumeClaim %s has %s, and the infraspec asks for %s: a claim cannot shrink", name, have, want)
}

func (r *run) deployment(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	live, err := found(r.cluster.GetDeployment(ctx, r.settings.Namespace, r.spec.App))
	if err != nil {
		return pipeline.Result{}, err
	}
	if live != nil {
		if err := r.owned("Deployment", live); err != nil {
			return pipeline.Result{}, err
		}
	}
	start, detail := r.start(live)
	conf, err := Deployment(r.spec, r.settings, start)
	if err != nil {
		return pipeline.Result{}, err
	}
	now, err := r.cluster.CreateDeployment(ctx, conf)
	if err != nil {
		return pipeline.Result{}, err
	}
	return compared(live, now, detail), nil
}

// start decides who says what the image is: this forge, or the deploy that was here before.
func (r *run) start(live *appsv1.Deployment) (*Start, string) {
	switch {
	case live != nil && deployed(live):
		return nil, ""
	case r.image != "":
		return &Start{Image: r.image}, "starts with " + r.image
	case live != nil && !live.Spec.Paused: // forged with --image before
		return &Start{Image: live.Spec.Template.Spec.Containers[0].Image}, ""
	default:
		return BeforeFirstDeploy(r.spec.App), "paused until the first deploy"
	}
}

// deployed reports whether a deploy has set the image: its field manager is on the object then.
func deployed(d *appsv1.Deployment) bool {
	for _, m := range d.ManagedFields {
		if m.Manager == k8s.DeployManager && m.Subresource == "" {
			return true
		}
	}
	return false
}

func (r *run) service(conf *applycore.ServiceApplyConfiguration) stepFunc {
	return func(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
		live, err := found(r.cluster.GetService(ctx, r.settings.Namespace, *conf.Name))
		if err != nil {
			return pipeline.Result{}, err
		}
		if live != nil {
			if err := r.owned("Service", live); err != nil {
				return pipeline.Result{}, err
			}
		}
		now, err := r.cluster.CreateService(ctx, conf)
		if err != nil {
			return pipeline.Result{}, err
		}
		return compared(live, now, fmt.Sprintf("port 80 to %d", r.spec.Port)), nil
	}
}

func tunnel(context.Context, io.Writer) (pipeline.Result, error) {
	return pipeline.Result{State: pipeline.Skipped, Detail: "norn does not write tunnel rules yet; route the host yourself"}, nil
}

func (r *run) owned(kind string, live metav1.Object) error {
	return Owned(kind, live, r.spec.App)
}

// found makes an absent object a nil one.
func found[T any](live *T, err error) (*T, error) {
	if k8s.IsNotFound(err) {
		return nil, nil
	}
	return live, err
}

// compared tells from the resourceVersions what an apply did.
func compared[T any, P interface {
	*T
	metav1.Object
}](before, after P, detail string) pipeline.Result {
	switch {
	case before == nil:
		return pipeline.Result{State: pipeline.Created, Detail: detail}
	case before.GetResourceVersion() == after.GetResourceVersion():
		return pipeline.Result{State: pipeline.Unchanged}
	default:
		return pipeline.Result{State: pipeline.Configured, Detail: detail}
	}
}
