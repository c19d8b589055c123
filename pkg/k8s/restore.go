package k8s

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"

	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/platform"
)

// Restorable reports whether RestoreTemplate can restore a ReplicaSet. A template from before norn adopted the app may
// have no container named after it. forge and deploy would add theirs beside the containers that they do not own.
func Restorable(rs *appsv1.ReplicaSet, app string) bool {
	return slices.ContainsFunc(rs.Spec.Template.Spec.Containers, func(c corev1.Container) bool { return c.Name == app })
}

// RestoreTemplate sets a Deployment's pod template, commit and change-cause to those of an earlier revision, as kubectl
// rollout undo does, unpauses the Deployment and ends its canary. The revision must be Restorable. If anything has
// changed the Deployment since live was read, RestoreTemplate changes nothing; see IsConflict.
//
// The patch makes its manager the owner of every field that it changes. RestoreTemplate hands these fields back to
// forge and deploy. Otherwise forge could never again remove a restored variable or volume. If norn is killed in
// between, each field still has an owner, and the next rollback cleans up.
func (c *Client) RestoreTemplate(
	ctx context.Context, live *appsv1.Deployment, to *appsv1.ReplicaSet,
) (*appsv1.Deployment, error) {
	name, app := live.Name, metadata.AppOf(live)
	if !Restorable(to, app) {
		return nil, fmt.Errorf("restore the template of ReplicaSet %s: it has no container %s", to.Name, app)
	}
	template := TemplateOf(to)
	r := ReleaseOf(to, app)
	restored, err := c.patchFields(ctx, live, append([]map[string]any{
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.ResourceVersion},
		{"op": "replace", "path": "/spec/template", "value": template},
		{"op": "add", "path": "/spec/paused", "value": false},
		{"op": "add", "path": "/metadata/annotations/norn~1commit", "value": r.Commit},
		{"op": "add", "path": "/metadata/annotations/norn~1image", "value": r.Image},
		{"op": "add", "path": "/metadata/annotations/kubernetes.io~1change-cause", "value": r.Cause},
	}, releaseHold(live)...))
	if err == nil {
		live, err = c.releaseFields(ctx, restored)
	}
	if err != nil {
		return nil, Explain(err, "restore the template of ReplicaSet %s", to.Name)
	}
	return c.OnCurrent(ctx, live, func(live *appsv1.Deployment) (*appsv1.Deployment, error) {
		if !equality.Semantic.DeepEqual(live.Spec.Template, restored.Spec.Template) {
			return restored, nil // somebody has changed it again
		}
		return c.setRelease(ctx, r.deployment(live.Namespace, name).WithResourceVersion(live.ResourceVersion))
	})
}

// TemplateOf returns the Pod template of a ReplicaSet as its Deployment had it.
func TemplateOf(rs *appsv1.ReplicaSet) *corev1.PodTemplateSpec {
	template := rs.Spec.Template.DeepCopy()
	delete(template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return template
}

// OnCurrent calls write with live, and again with the Deployment as it is then if the controller has written the status
// in between; see RetryOnConflict.
func (c *Client) OnCurrent(
	ctx context.Context, live *appsv1.Deployment, write func(*appsv1.Deployment) (*appsv1.Deployment, error),
) (*appsv1.Deployment, error) {
	var written *appsv1.Deployment
	err := RetryOnConflict(func() error {
		d, err := write(live)
		if !IsConflict(err) {
			written = d
			return err
		}
		fresh, getErr := c.GetDeployment(ctx, live.Namespace, live.Name)
		if getErr != nil {
			return getErr
		}
		live = fresh
		return err
	})
	return written, err
}

// patchFields changes a Deployment by a JSON patch (RFC 6902).
func (c *Client) patchFields(
	ctx context.Context, live *appsv1.Deployment, operations []map[string]any,
) (*appsv1.Deployment, error) {
	patch, err := json.Marshal(operations)
	if err != nil {
		return nil, err
	}
	client := c.apps.Deployments(live.Namespace)
	return client.Patch(ctx, live.Name, types.JSONPatchType, patch, c.patchOptions(metadata.DeployManager))
}

// ReleaseOf returns the release of a revision of an app.
func ReleaseOf(rs *appsv1.ReplicaSet, app string) Release {
	return releaseOf(rs.Spec.Template, rs.Annotations, app)
}

// ReleaseOfDeployment returns the release that a Deployment has been set to.
func ReleaseOfDeployment(d *appsv1.Deployment) Release {
	return releaseOf(d.Spec.Template, d.Annotations, metadata.AppOf(d))
}

// releaseOf returns the release of a workload with a Pod template and annotations.
func releaseOf(template corev1.PodTemplateSpec, annotations map[string]string, app string) Release {
	r := Release{
		App:           app,
		SecretVersion: template.Annotations[metadata.SecretAnnotation],
		RestartedAt:   template.Annotations[metadata.RestartAnnotation],
		Platforms:     platform.Of(template.Spec), // else the next forge would remove the affinity and replace the Pods
	}
	for _, container := range template.Spec.Containers {
		if container.Name == app {
			r.Image, r.PullPolicy = container.Image, container.ImagePullPolicy
		}
	}
	shipped := metadata.Shipped(annotations, r.Image)
	r.Commit, r.Cause = shipped[metadata.CommitAnnotation], shipped[metadata.ChangeCauseAnnotation]
	r.By, r.Migrated = shipped[metadata.ByAnnotation], shipped[metadata.MigratedAnnotation]
	r.Subject = shipped[metadata.SubjectAnnotation]
	return r
}

// releaseFields makes forge the owner of the fields that deploy owns because of a patch. It returns the Deployment
// afterwards.
func (c *Client) releaseFields(ctx context.Context, d *appsv1.Deployment) (*appsv1.Deployment, error) {
	return c.OnCurrent(ctx, d, func(d *appsv1.Deployment) (*appsv1.Deployment, error) {
		patch, err := csaupgrade.UpgradeManagedFieldsPatch(d, sets.New(metadata.DeployManager), metadata.ForgeManager)
		if err != nil || patch == nil {
			return d, err
		}
		client := c.apps.Deployments(d.Namespace)
		return client.Patch(ctx, d.Name, types.JSONPatchType, patch, c.patchOptions(metadata.ForgeManager))
	})
}

// RestoreScale sets a Deployment's replicas and strategy to those of spec. forge owns them afterwards.
func (c *Client) RestoreScale(
	ctx context.Context, live *appsv1.Deployment, spec appsv1.DeploymentSpec,
) (*appsv1.Deployment, error) {
	now, err := c.patchFields(ctx, live, []map[string]any{
		{"op": "replace", "path": "/spec/replicas", "value": spec.Replicas},
		{"op": "replace", "path": "/spec/strategy", "value": spec.Strategy},
	})
	if err == nil {
		now, err = c.releaseFields(ctx, now)
	}
	return now, Explain(err, "restore the replicas and the strategy of Deployment %s", live.Name)
}

// ScaleAway scales a Deployment to 0 and records its replicas, for ScaleBack. forge owns the replicas afterwards. If
// anything has changed the Deployment since live was read, ScaleAway changes nothing; see IsConflict.
func (c *Client) ScaleAway(ctx context.Context, live *appsv1.Deployment) (*appsv1.Deployment, error) {
	return c.scale(ctx, live, 0, fmt.Sprint(replicasOf(live)))
}

// ScaleBack reverts ScaleAway. It returns live if the Deployment has not been scaled away.
func (c *Client) ScaleBack(ctx context.Context, live *appsv1.Deployment) (*appsv1.Deployment, error) {
	if !IsAway(live) {
		return live, nil
	}
	return c.OnCurrent(ctx, live, func(live *appsv1.Deployment) (*appsv1.Deployment, error) {
		return c.scale(ctx, live, replicasOf(ScaledBack(live)), "")
	})
}

// IsAway reports whether a Deployment has been scaled to 0 by ScaleAway.
func IsAway(d *appsv1.Deployment) bool {
	return replicasOf(d) == 0 && d.Annotations[metadata.ReplicasAnnotation] != ""
}

// ScaledBack returns what ScaleBack makes of a Deployment that is away.
func ScaledBack(d *appsv1.Deployment) *appsv1.Deployment {
	back := d.DeepCopy()
	if replicas, err := strconv.ParseInt(d.Annotations[metadata.ReplicasAnnotation], 10, 32); err == nil {
		n := int32(replicas)
		back.Spec.Replicas = &n
	}
	return back
}

func (c *Client) scale(
	ctx context.Context, live *appsv1.Deployment, replicas int32, before string,
) (*appsv1.Deployment, error) {
	now, err := c.patchFields(ctx, live, []map[string]any{
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.ResourceVersion},
		{"op": "add", "path": "/spec/replicas", "value": replicas},
		{"op": "add", "path": "/metadata/annotations/norn~1replicas", "value": before},
	})
	if err == nil {
		now, err = c.releaseFields(ctx, now)
	}
	return now, Explain(err, "scale Deployment %s", live.Name)
}

func replicasOf(d *appsv1.Deployment) int32 {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}
