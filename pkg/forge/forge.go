package forge

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
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
	secretReader
}

type claims interface {
	GetPVC(ctx context.Context, ns, name string) (*corev1.PersistentVolumeClaim, error)
	CreatePVC(ctx context.Context, conf *applycore.PersistentVolumeClaimApplyConfiguration) (*corev1.PersistentVolumeClaim, error)
}

type deployments interface {
	GetDeployment(ctx context.Context, ns, name string) (*appsv1.Deployment, error)
	CreateDeployment(ctx context.Context, conf *applyapps.DeploymentApplyConfiguration) (*appsv1.Deployment, error)
	DropRollingUpdate(ctx context.Context, ns, name string) error
}

type secretReader interface {
	GetSecret(ctx context.Context, ns, name string) (*corev1.Secret, error)
}

type services interface {
	GetService(ctx context.Context, ns, name string) (*corev1.Service, error)
	CreateService(ctx context.Context, conf *applycore.ServiceApplyConfiguration) (*corev1.Service, error)
}

var _ Cluster = (*k8s.Client)(nil)

// Run brings the cluster to what spec says. A new Deployment stays paused until its first deploy, unless
// the settings name an image to start with.
func Run(ctx context.Context, cluster Cluster, to pipeline.Reporter, spec *infraspec.Spec, s Settings) error {
	if spec.Role != infraspec.Webserver && spec.Role != infraspec.Worker {
		return fmt.Errorf("forge cannot make a %s yet, only webservers and workers", spec.Role)
	}
	if s.Image != "" {
		if _, err := k8s.PullPolicy(s.Image); err != nil {
			return err
		}
	}
	r := &run{cluster: cluster, spec: spec, settings: s}
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
	shipped := live != nil && deployed(live)
	if shipped && r.settings.Image != "" {
		return pipeline.Result{}, fmt.Errorf("%s has been deployed, and forge leaves its image alone: ship %s with norn deploy --image", r.spec.App, r.settings.Image)
	}
	if shipped {
		if err := r.keysThere(ctx, r.spec); err != nil {
			return pipeline.Result{}, err
		}
	}
	conf, detail, err := DeploymentBeside(live, r.spec, r.settings)
	if err != nil {
		return pipeline.Result{}, err
	}
	if live != nil && live.Spec.Strategy.RollingUpdate != nil && *conf.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		if err := r.cluster.DropRollingUpdate(ctx, r.settings.Namespace, r.spec.App); err != nil {
			return pipeline.Result{}, err
		}
	}
	now, err := r.cluster.CreateDeployment(ctx, conf)
	if err != nil {
		return pipeline.Result{}, err
	}
	if live != nil && !now.Spec.Paused && !equality.Semantic.DeepEqual(live.Spec.Template, now.Spec.Template) {
		detail = "its pods are being replaced; see norn logs -f"
	}
	return compared(live, now, detail), nil
}

// DeploymentBeside is the Deployment as forge applies it beside live, which is nil where there is none: without what a deploy or an
// autoscaler has made its own. The text says in one line how it starts, if it does.
func DeploymentBeside(live *appsv1.Deployment, spec *infraspec.Spec, s Settings) (*applyapps.DeploymentApplyConfiguration, string, error) {
	start, detail := startBeside(live, spec, s)
	conf, err := Deployment(spec, s, start)
	if err == nil && live != nil && autoscaled(live) {
		conf.Spec.Replicas = nil
	}
	return conf, detail, err
}

// startBeside decides who says what the image is: this forge, or the deploy that was here before.
func startBeside(live *appsv1.Deployment, spec *infraspec.Spec, s Settings) (*Start, string) {
	switch {
	case live != nil && deployed(live):
		return nil, ""
	case s.Image != "":
		return &Start{Image: s.Image}, "starts with " + s.Image
	case live != nil && !live.Spec.Paused: // forged with --image before
		return &Start{Image: live.Spec.Template.Spec.Containers[0].Image}, ""
	default:
		return BeforeFirstDeploy(spec.App), "paused until the first deploy"
	}
}

// deployed reports whether a deploy has set the image: its field manager has applied then. (A restart only patches.)
func deployed(d *appsv1.Deployment) bool {
	return slices.ContainsFunc(d.ManagedFields, func(m metav1.ManagedFieldsEntry) bool {
		return m.Manager == k8s.DeployManager && m.Operation == metav1.ManagedFieldsOperationApply
	})
}

// autoscaled reports whether a controller sets the replicas, which are its own then. A person's kubectl scale is no such thing.
func autoscaled(d *appsv1.Deployment) bool {
	return slices.ContainsFunc(d.ManagedFields, func(m metav1.ManagedFieldsEntry) bool {
		return m.Subresource == "scale" && !strings.HasPrefix(m.Manager, "kubectl")
	})
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
