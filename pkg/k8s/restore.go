package k8s

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"

	"norn/pkg/k8s/metadata"
)

// Restorable reports whether RestoreTemplate can restore a ReplicaSet. A template from before norn adopted the app may
// have no container named after it. forge and deploy would add theirs beside the containers that they do not own.
func Restorable(rs *appsv1.ReplicaSet, app string) bool {
	return slices.ContainsFunc(rs.Spec.Template.Spec.Containers, func(c corev1.Container) bool { return c.Name == app })
}

// RestoreTemplate sets a Deployment's pod template, commit and change-cause to those of an earlier revision, as kubectl
// rollout undo does, and unpauses the Deployment. The revision must be Restorable.
//
// The patch makes its manager the owner of every field that it changes. RestoreTemplate hands these fields back to
// forge and deploy. Otherwise forge could never again remove a restored variable or volume. If norn is killed in
// between, each field still has an owner, and the next rollback cleans up.
func (c *Client) RestoreTemplate(ctx context.Context, ns, name string,
	to *appsv1.ReplicaSet) (*appsv1.Deployment, error) {
	if !Restorable(to, name) {
		return nil, fmt.Errorf("restore the template of ReplicaSet %s: it has no container %s", to.Name, name)
	}
	template := to.Spec.Template.DeepCopy()
	delete(template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	r := restoredRelease(to, name)
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/spec/template", "value": template},
		{"op": "add", "path": "/spec/paused", "value": false},
		{"op": "add", "path": "/metadata/annotations/norn~1commit", "value": r.Commit},
		{"op": "add", "path": "/metadata/annotations/norn~1image", "value": r.Image},
		{"op": "add", "path": "/metadata/annotations/kubernetes.io~1change-cause", "value": r.Cause},
	})
	if err != nil {
		return nil, Explain(err, "restore the template of ReplicaSet %s", to.Name)
	}
	d, err := c.apps.Deployments(ns).Patch(ctx, name, types.JSONPatchType, patch, c.patchOptions(metadata.DeployManager))
	if err == nil {
		err = c.releaseFields(ctx, d)
	}
	if err != nil {
		return nil, Explain(err, "restore the template of ReplicaSet %s", to.Name)
	}
	return c.SetImage(ctx, ns, name, r)
}

// restoredRelease returns the release of an earlier revision of an app.
func restoredRelease(rs *appsv1.ReplicaSet, app string) Release {
	template := rs.Spec.Template
	r := Release{
		SecretVersion: template.Annotations[metadata.SecretAnnotation],
		RestartedAt:   template.Annotations[metadata.RestartAnnotation],
	}
	for _, container := range template.Spec.Containers {
		if container.Name == app {
			r.Image, r.PullPolicy = container.Image, container.ImagePullPolicy
		}
	}
	shipped := metadata.Shipped(rs.Annotations, r.Image)
	r.Commit, r.Cause = shipped[metadata.CommitAnnotation], shipped[metadata.ChangeCauseAnnotation]
	r.By, r.Migrated = shipped[metadata.ByAnnotation], shipped[metadata.MigratedAnnotation]
	return r
}

// releaseFields makes forge the owner of the fields that deploy owns because of a patch.
func (c *Client) releaseFields(ctx context.Context, d *appsv1.Deployment) error {
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(d, sets.New(metadata.DeployManager), metadata.ForgeManager)
	if err != nil || patch == nil {
		return err
	}
	client := c.apps.Deployments(d.Namespace)
	_, err = client.Patch(ctx, d.Name, types.JSONPatchType, patch, c.patchOptions(metadata.ForgeManager))
	if IsConflict(err) { // the controller wrote the status in between
		fresh, getErr := client.Get(ctx, d.Name, metav1.GetOptions{})
		if getErr != nil {
			return getErr
		}
		return c.releaseFields(ctx, fresh)
	}
	return err
}
