package k8s

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"

	"norn/pkg/k8s/metadata"
)

// hold adds to a release what holds the Deployment after the first new Pods of a canary.
func hold(conf *applyapps.DeploymentApplyConfiguration, c metadata.Canary) error {
	text, err := c.Annotation()
	if err != nil {
		return err
	}
	var held appsv1.DeploymentSpec
	c.Hold(&held)
	rolling := applyapps.RollingUpdateDeployment().
		WithMaxUnavailable(*held.Strategy.RollingUpdate.MaxUnavailable).
		WithMaxSurge(*held.Strategy.RollingUpdate.MaxSurge)
	conf.WithAnnotations(map[string]string{metadata.CanaryAnnotation: text})
	conf.Spec.WithMinReadySeconds(held.MinReadySeconds).WithProgressDeadlineSeconds(*held.ProgressDeadlineSeconds).
		WithStrategy(applyapps.DeploymentStrategy().WithType(held.Strategy.Type).WithRollingUpdate(rolling))
	return nil
}

// PauseCanary pauses a Deployment with a canary, so that an autoscaler that adds Pods adds them to both versions. If
// anything has changed the Deployment since live was read, PauseCanary changes nothing; see IsConflict.
func (c *Client) PauseCanary(ctx context.Context, live *appsv1.Deployment) (*appsv1.Deployment, error) {
	now, err := c.patchFields(ctx, live, []map[string]any{
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.ResourceVersion},
		{"op": "add", "path": "/spec/paused", "value": true},
	})
	return now, Explain(err, "pause Deployment %s", live.Name)
}

// EndCanary ends the hold of a Deployment with a canary, and unpauses it unless it must stay paused. Then its rollout
// continues. forge owns the fields afterwards. EndCanary returns a Deployment that is not held as it is. If anything
// has changed the Deployment since live was read, EndCanary changes nothing; see IsConflict.
func (c *Client) EndCanary(ctx context.Context, live *appsv1.Deployment, paused bool) (*appsv1.Deployment, error) {
	changes := releaseHold(live)
	if len(changes) == 0 {
		return live, nil
	}
	now, err := c.patchFields(ctx, live, append(changes,
		map[string]any{"op": "replace", "path": "/metadata/resourceVersion", "value": live.ResourceVersion},
		map[string]any{"op": "add", "path": "/spec/paused", "value": paused}))
	if err == nil {
		now, err = c.releaseFields(ctx, now)
	}
	return now, Explain(err, "end the canary of Deployment %s", live.Name)
}

// releaseHold returns the operations of a JSON patch that end the hold of a Deployment, or none if it is not held.
func releaseHold(live *appsv1.Deployment) []map[string]any {
	c := metadata.CanaryOf(live)
	if c == nil {
		return nil
	}
	changes := []map[string]any{
		{"op": "add", "path": "/spec/minReadySeconds", "value": c.MinReadySeconds},
		{"op": "add", "path": "/spec/progressDeadlineSeconds", "value": c.ProgressDeadlineSeconds},
		{"op": "add", "path": "/spec/strategy", "value": c.Strategy},
	}
	if _, has := live.Annotations[metadata.CanaryAnnotation]; has {
		changes = append(changes, map[string]any{"op": "remove", "path": "/metadata/annotations/norn~1canary"})
	}
	return changes
}
