package k8s

import (
	"context"
	"errors"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/util/retry"
)

// GetService reads a Service; see IsNotFound.
func (c *Client) GetService(ctx context.Context, ns, name string) (*corev1.Service, error) {
	s, err := c.core.Services(ns).Get(ctx, name, metav1.GetOptions{})
	return s, explain(err, "read Service %s", name)
}

// CreateService makes the Service what conf says, creating it where it is absent.
func (c *Client) CreateService(ctx context.Context, conf *applycore.ServiceApplyConfiguration) (*corev1.Service, error) {
	s, err := apply(ctx, c, c.core.Services(*conf.Namespace), ForgeManager, conf)
	return s, explain(err, "apply Service %s", *conf.Name)
}

// DeleteService deletes a Service; one that is gone is a success.
func (c *Client) DeleteService(ctx context.Context, ns, name string) error {
	return explain(c.remove(ctx, c.core.Services(ns), name), "delete Service %s", name)
}

// ListServices lists an app's Services that norn made, by label.
func (c *Client) ListServices(ctx context.Context, ns, app string) ([]corev1.Service, error) {
	l, err := c.core.Services(ns).List(ctx, metav1.ListOptions{LabelSelector: ours(app)})
	if err != nil {
		return nil, explain(err, "list the Services of %s", app)
	}
	return l.Items, nil
}

// GetPVC reads a PersistentVolumeClaim; see IsNotFound.
func (c *Client) GetPVC(ctx context.Context, ns, name string) (*corev1.PersistentVolumeClaim, error) {
	p, err := c.core.PersistentVolumeClaims(ns).Get(ctx, name, metav1.GetOptions{})
	return p, explain(err, "read PersistentVolumeClaim %s", name)
}

// ListPVCs lists an app's PersistentVolumeClaims that norn made, by label.
func (c *Client) ListPVCs(ctx context.Context, ns, app string) ([]corev1.PersistentVolumeClaim, error) {
	l, err := c.core.PersistentVolumeClaims(ns).List(ctx, metav1.ListOptions{LabelSelector: ours(app)})
	if err != nil {
		return nil, explain(err, "list the PersistentVolumeClaims of %s", app)
	}
	return l.Items, nil
}

// CreatePVC makes the PersistentVolumeClaim what conf says, creating it where it is absent.
func (c *Client) CreatePVC(ctx context.Context, conf *applycore.PersistentVolumeClaimApplyConfiguration) (*corev1.PersistentVolumeClaim, error) {
	p, err := apply(ctx, c, c.core.PersistentVolumeClaims(*conf.Namespace), ForgeManager, conf)
	return p, explain(err, "apply PersistentVolumeClaim %s", *conf.Name)
}

// DeletePVC deletes a PersistentVolumeClaim, and with it the data; one that is gone is a success.
func (c *Client) DeletePVC(ctx context.Context, ns, name string) error {
	return explain(c.remove(ctx, c.core.PersistentVolumeClaims(ns), name), "delete PersistentVolumeClaim %s", name)
}

// GetSecret reads a Secret; see IsNotFound.
func (c *Client) GetSecret(ctx context.Context, ns, name string) (*corev1.Secret, error) {
	s, err := c.core.Secrets(ns).Get(ctx, name, metav1.GetOptions{})
	return s, explain(err, "read Secret %s", name)
}

// ApplySecret makes the Secret what conf says. The error's text holds no value of it.
func (c *Client) ApplySecret(ctx context.Context, conf *applycore.SecretApplyConfiguration) (*corev1.Secret, error) {
	s, err := apply(ctx, c, c.core.Secrets(*conf.Namespace), ForgeManager, conf)
	if err != nil && apierrors.IsInvalid(err) { // the server quotes what it finds invalid
		err = errors.New("the API server refused it as invalid")
	}
	return s, explain(err, "apply Secret %s", *conf.Name)
}

// DeleteSecret deletes a Secret; one that is gone is a success.
func (c *Client) DeleteSecret(ctx context.Context, ns, name string) error {
	return explain(c.remove(ctx, c.core.Secrets(ns), name), "delete Secret %s", name)
}

// GetConfigMap reads a ConfigMap; see IsNotFound.
func (c *Client) GetConfigMap(ctx context.Context, ns, name string) (*corev1.ConfigMap, error) {
	m, err := c.core.ConfigMaps(ns).Get(ctx, name, metav1.GetOptions{})
	return m, explain(err, "read ConfigMap %s in namespace %s", name, ns)
}

// PatchConfigMap reads a ConfigMap, lets edit change it in place and writes it back. Where
// somebody else wrote in between, it begins again with what they wrote, so nothing is lost.
// It reports whether anything changed; an absent ConfigMap is an error (see IsNotFound).
func (c *Client) PatchConfigMap(ctx context.Context, ns, name string, edit func(*corev1.ConfigMap) error) (changed bool, err error) {
	client := c.core.ConfigMaps(ns)
	err = retry.RetryOnConflict(patience, func() error {
		live, err := client.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		before := live.DeepCopy()
		if live.Data == nil {
			live.Data = map[string]string{}
		}
		if err := edit(live); err != nil {
			return err
		}
		if changed = !maps.Equal(before.Data, live.Data) || !maps.Equal(before.Annotations, live.Annotations); !changed {
			return nil
		}
		_, err = client.Update(ctx, live, metav1.UpdateOptions{FieldManager: ForgeManager, DryRun: c.dryRun})
		return err
	})
	return changed, explain(err, "edit ConfigMap %s in namespace %s", name, ns)
}

// patience is for many writers of one object: each round at least one of them gets through.
var patience = wait.Backoff{Duration: 10 * time.Millisecond, Factor: 1.5, Jitter: 0.5, Steps: 60, Cap: time.Second}
