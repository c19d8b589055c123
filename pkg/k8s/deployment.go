package k8s

import (
	"context"
	"encoding/json"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"

	"norn/pkg/k8s/metadata"
)

// GetDeployment reads a Deployment; see IsNotFound. Its managed fields omit a scaler that no longer exists.
func (c *Client) GetDeployment(ctx context.Context, ns, name string) (*appsv1.Deployment, error) {
	d, err := c.apps.Deployments(ns).Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		c.forgetStaleScalers(ctx, ns, d)
	}
	return d, Explain(err, "read Deployment %s", name)
}

// CreateDeployment creates or updates a Deployment.
func (c *Client) CreateDeployment(ctx context.Context,
	conf *applyapps.DeploymentApplyConfiguration) (*appsv1.Deployment, error) {
	d, err := apply(ctx, c, c.apps.Deployments(*conf.Namespace), metadata.ForgeManager, conf)
	return d, Explain(err, "apply Deployment %s", *conf.Name)
}

// UseRecreateStrategy switches a Deployment to the Recreate strategy. It must remove rollingUpdate explicitly: the
// server defaulted that field, so no field manager owns it, and it is invalid with Recreate.
func (c *Client) UseRecreateStrategy(ctx context.Context, ns, name string) error {
	patch := []byte(`{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`)
	_, err := c.apps.Deployments(ns).Patch(ctx, name, types.MergePatchType, patch, c.patchOptions(metadata.ForgeManager))
	return Explain(err, "change the strategy of Deployment %s", name)
}

// SetImage sets a release in the app's container, and unpauses the Deployment. It is one
// server-side apply, so the cluster never sees half of a release, and never a canary without its hold.
func (c *Client) SetImage(ctx context.Context, ns, name string, r Release) (*appsv1.Deployment, error) {
	conf := r.deployment(ns, name)
	if r.Canary != nil {
		if err := hold(conf, *r.Canary); err != nil {
			return nil, Explain(err, "describe the canary of Deployment %s", name)
		}
	}
	return c.setRelease(ctx, conf)
}

func (c *Client) setRelease(
	ctx context.Context, conf *applyapps.DeploymentApplyConfiguration,
) (*appsv1.Deployment, error) {
	d, err := apply(ctx, c, c.apps.Deployments(*conf.Namespace), metadata.DeployManager, conf)
	return d, Explain(err, "set the image of Deployment %s", *conf.Name)
}

// RestartDeployment starts a rolling restart by an annotation on the pod template, as kubectl rollout restart does.
func (c *Client) RestartDeployment(ctx context.Context, ns, name string, at time.Time) (*appsv1.Deployment, error) {
	restarted := map[string]string{metadata.RestartAnnotation: at.Format(time.RFC3339Nano)}
	conf := applyapps.Deployment(name, ns).
		WithSpec(applyapps.DeploymentSpec().WithTemplate(applycore.PodTemplateSpec().WithAnnotations(restarted)))
	conf.TypeMetaApplyConfiguration = applymeta.TypeMetaApplyConfiguration{} // a merge patch needs no kind
	patch, err := json.Marshal(conf)
	if err == nil {
		var d *appsv1.Deployment
		d, err = c.apps.Deployments(ns).Patch(ctx, name, types.MergePatchType, patch, c.patchOptions(metadata.DeployManager))
		if err == nil {
			return d, nil
		}
	}
	return nil, Explain(err, "restart Deployment %s", name)
}
