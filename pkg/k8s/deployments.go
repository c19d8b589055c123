package k8s

import (
	"context"
	"encoding/json"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"
)

// Annotations on the Deployment, which its controller copies to each ReplicaSet, and so to history.
const (
	CommitAnnotation      = "norn/commit"
	ByAnnotation          = "norn/by"                    // who deployed
	MigratedAnnotation    = "norn/migrated"              // the version before which a migration ran
	ChangeCauseAnnotation = "kubernetes.io/change-cause" // shown by kubectl rollout history
	RevisionAnnotation    = "deployment.kubernetes.io/revision"
)

// Annotations on the pod template, where a change of value rolls the pods.
const (
	// SecretAnnotation holds the resourceVersion of the Secret the pods were started with: a mark that
	// moves with the values and says nothing about them.
	SecretAnnotation  = "norn/secret-version"               //nolint:gosec // a name, not a credential
	restartAnnotation = "kubectl.kubernetes.io/restartedAt" // the same as kubectl rollout restart
)

// GetDeployment reads a Deployment; see IsNotFound.
func (c *Client) GetDeployment(ctx context.Context, ns, name string) (*appsv1.Deployment, error) {
	d, err := c.apps.Deployments(ns).Get(ctx, name, metav1.GetOptions{})
	return d, explain(err, "read Deployment %s", name)
}

// CreateDeployment makes the Deployment what conf says, creating it where it is absent.
func (c *Client) CreateDeployment(ctx context.Context, conf *applyapps.DeploymentApplyConfiguration) (*appsv1.Deployment, error) {
	d, err := apply(ctx, c, c.apps.Deployments(*conf.Namespace), ForgeManager, conf)
	return d, explain(err, "apply Deployment %s", *conf.Name)
}

// DropRollingUpdate makes way for the Recreate strategy: the parameters of a rolling update were filled in by the server, belong to
// nobody, and are not allowed beside it.
func (c *Client) DropRollingUpdate(ctx context.Context, ns, name string) error {
	patch := []byte(`{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`)
	_, err := c.apps.Deployments(ns).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: ForgeManager, DryRun: c.dryRun})
	return explain(err, "change the strategy of Deployment %s", name)
}

// DeleteDeployment deletes a Deployment with its ReplicaSets and pods; one that is gone is a success.
func (c *Client) DeleteDeployment(ctx context.Context, ns, name string) error {
	return explain(c.remove(ctx, c.apps.Deployments(ns), name), "delete Deployment %s", name)
}

// Release is what a deploy changes of a Deployment.
type Release struct {
	Image         string
	PullPolicy    corev1.PullPolicy
	Commit        string // all digits of the commit, with -dirty where that was not all, or "" where unknown
	Cause         string // one line for the rollout history
	By            string // who deploys
	Migrated      string // the version whose migration has run for this release, or ""
	SecretVersion string // resourceVersion of the app's Secret, or "" without one
	RestartedAt   string // keeps an earlier restart's stamp, or ""
}

// template is what a release changes of a pod template.
func (r Release) template(container string) *applycore.PodTemplateSpecApplyConfiguration {
	template := applycore.PodTemplateSpec().WithSpec(applycore.PodSpec().WithContainers(
		applycore.Container().WithName(container).WithImage(r.Image).WithImagePullPolicy(r.PullPolicy)))
	for name, value := range map[string]string{SecretAnnotation: r.SecretVersion, restartAnnotation: r.RestartedAt} {
		if value != "" {
			template.WithAnnotations(map[string]string{name: value})
		}
	}
	return template
}

// annotations are what history remembers of a release.
func (r Release) annotations() map[string]string {
	m := map[string]string{CommitAnnotation: r.Commit, ChangeCauseAnnotation: r.Cause}
	for name, value := range map[string]string{ByAnnotation: r.By, MigratedAnnotation: r.Migrated} {
		if value != "" {
			m[name] = value
		}
	}
	return m
}

// SetImage puts a release into the container named like the Deployment and lets it roll
// out: one server-side apply, so that the cluster never sees half of it.
func (c *Client) SetImage(ctx context.Context, ns, name string, r Release) (*appsv1.Deployment, error) {
	conf := applyapps.Deployment(name, ns).
		WithAnnotations(r.annotations()).
		WithSpec(applyapps.DeploymentSpec().WithPaused(false).WithTemplate(r.template(name)))
	d, err := apply(ctx, c, c.apps.Deployments(ns), DeployManager, conf)
	return d, explain(err, "set the image of Deployment %s", name)
}

// RestartDeployment starts a rolling restart by stamping the pod template, as kubectl rollout restart does.
func (c *Client) RestartDeployment(ctx context.Context, ns, name string, at time.Time) (*appsv1.Deployment, error) {
	conf := applyapps.Deployment(name, ns).WithSpec(applyapps.DeploymentSpec().WithTemplate(
		applycore.PodTemplateSpec().WithAnnotations(map[string]string{restartAnnotation: at.Format(time.RFC3339Nano)})))
	conf.TypeMetaApplyConfiguration = applymeta.TypeMetaApplyConfiguration{} // a merge patch needs no kind
	patch, err := json.Marshal(conf)
	if err == nil {
		var d *appsv1.Deployment
		d, err = c.apps.Deployments(ns).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: DeployManager, DryRun: c.dryRun})
		if err == nil {
			return d, nil
		}
	}
	return nil, explain(err, "restart Deployment %s", name)
}

// MarksRestart reports whether a pod template annotation only rolls pods and says nothing about the version.
func MarksRestart(annotation string) bool {
	return annotation == restartAnnotation || annotation == SecretAnnotation
}
