package k8s

import (
	"context"
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"

	"norn/pkg/k8s/metadata"
)

// RestoreTemplate puts an earlier revision's pod template and its commit and change-cause back
// into the Deployment, as kubectl rollout undo does, and unpauses it.
//
// The patch makes its manager the owner of every field that it changes. They are given back to forge, and what is a deploy's to the
// deploy, since forge could otherwise never again remove a restored variable or volume. Killed in between, the next forge still
// finds an owner for each field, and the next rollback tidies up.
func (c *Client) RestoreTemplate(ctx context.Context, ns, name string, to *appsv1.ReplicaSet) (*appsv1.Deployment, error) {
	template := to.Spec.Template.DeepCopy()
	delete(template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/spec/template", "value": template},
		{"op": "add", "path": "/spec/paused", "value": false},
		{"op": "add", "path": "/metadata/annotations/norn~1commit", "value": to.Annotations[metadata.CommitAnnotation]},
		{"op": "add", "path": "/metadata/annotations/kubernetes.io~1change-cause", "value": to.Annotations[metadata.ChangeCauseAnnotation]},
	})
	if err != nil {
		return nil, Explain(err, "restore the template of ReplicaSet %s", to.Name)
	}
	d, err := c.apps.Deployments(ns).Patch(ctx, name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: metadata.DeployManager, DryRun: c.dryRun})
	if err == nil {
		err = c.releaseFields(ctx, d)
	}
	if err != nil {
		return nil, Explain(err, "restore the template of ReplicaSet %s", to.Name)
	}
	for _, container := range template.Spec.Containers {
		if container.Name == name {
			return c.SetImage(ctx, ns, name, Release{
				Image:         container.Image,
				PullPolicy:    container.ImagePullPolicy,
				Commit:        to.Annotations[metadata.CommitAnnotation],
				Cause:         to.Annotations[metadata.ChangeCauseAnnotation],
				By:            to.Annotations[metadata.ByAnnotation],
				Migrated:      to.Annotations[metadata.MigratedAnnotation],
				SecretVersion: template.Annotations[metadata.SecretAnnotation],
				RestartedAt:   template.Annotations[metadata.RestartAnnotation],
			})
		}
	}
	return d, nil
}

// releaseFields moves the fields that the deploy's manager owns by patches to forge's server-side apply.
func (c *Client) releaseFields(ctx context.Context, d *appsv1.Deployment) error {
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(d, sets.New(metadata.DeployManager), metadata.ForgeManager)
	if err != nil || patch == nil {
		return err
	}
	_, err = c.apps.Deployments(d.Namespace).Patch(ctx, d.Name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: metadata.ForgeManager, DryRun: c.dryRun})
	if IsConflict(err) { // the controller wrote its status in between
		fresh, getErr := c.apps.Deployments(d.Namespace).Get(ctx, d.Name, metav1.GetOptions{})
		if getErr != nil {
			return getErr
		}
		return c.releaseFields(ctx, fresh)
	}
	return err
}
