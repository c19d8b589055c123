package k8s

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
)

// CreateJob makes a Job.
func (c *Client) CreateJob(ctx context.Context, job *batchv1.Job) (*batchv1.Job, error) {
	j, err := c.batch.Jobs(job.Namespace).Create(ctx, job, metav1.CreateOptions{FieldManager: metadata.ForgeManager, DryRun: c.dryRun})
	if IsAlreadyExists(err) { // the name is this run's own: an earlier answer was lost on the way
		j, err = c.batch.Jobs(job.Namespace).Get(ctx, job.Name, metav1.GetOptions{})
	}
	return j, Explain(err, "create Job %s", job.Name)
}

// ResumeJob lets a Job begin that was made suspended.
func (c *Client) ResumeJob(ctx context.Context, ns, name string) error {
	patch := []byte(`{"spec":{"suspend":false}}`)
	_, err := c.batch.Jobs(ns).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: metadata.ForgeManager, DryRun: c.dryRun})
	return Explain(err, "start Job %s", name)
}

// ListJobs lists an app's Jobs of one kind, by the value of their JobLabel.
func (c *Client) ListJobs(ctx context.Context, ns, app, kind string) ([]batchv1.Job, error) {
	l, err := c.batch.Jobs(ns).List(ctx, metav1.ListOptions{LabelSelector: ownedSelector(app) + "," + metadata.JobLabel + "=" + kind})
	if err != nil {
		return nil, Explain(err, "list the Jobs of %s", app)
	}
	return l.Items, nil
}

// CreateOwnedSecret makes a Secret that is named like a Job and goes with it. The error's text holds no value of it.
func (c *Client) CreateOwnedSecret(ctx context.Context, owner *batchv1.Job, data map[string][]byte) error {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: owner.Name, Namespace: owner.Namespace, Labels: owner.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Type: corev1.SecretTypeOpaque,
		Data: data,
	}
	_, err := c.core.Secrets(owner.Namespace).Create(ctx, secret, metav1.CreateOptions{FieldManager: metadata.ForgeManager, DryRun: c.dryRun})
	if IsAlreadyExists(err) { // an earlier answer was lost on the way
		err = nil
	}
	if apierrors.IsInvalid(err) { // the server quotes what it finds invalid
		err = errors.New("the API server refused it as invalid")
	}
	return Explain(err, "create Secret %s", owner.Name)
}

// DeleteJob deletes a Job with its pods, in the background; one that is gone is a success.
func (c *Client) DeleteJob(ctx context.Context, ns, name string) error {
	background := metav1.DeletePropagationBackground
	err := c.batch.Jobs(ns).Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background, DryRun: c.dryRun})
	if IsNotFound(err) {
		return nil
	}
	return Explain(err, "delete Job %s", name)
}

// JobWarning is the last thing that the cluster has warned of at a Job, or "": why it can make no pod.
func (c *Client) JobWarning(ctx context.Context, ns, job string) (string, error) {
	l, err := c.core.Events(ns).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=Job,involvedObject.name=" + job})
	if err != nil {
		return "", Explain(err, "list the events of Job %s", job)
	}
	last := ""
	for _, e := range l.Items {
		if e.Type == corev1.EventTypeWarning {
			last = fmt.Sprintf("%s: %s", e.Reason, strings.Join(strings.Fields(e.Message), " "))
		}
	}
	return last, nil
}

// WatchJobPod watches the newest pod of a Job and hands every new state to see, nil where there is none yet, until see says it is
// done, returns an error, or ctx ends.
func (c *Client) WatchJobPod(ctx context.Context, ns, job string, see func(*corev1.Pod) (done bool, err error)) error {
	if _, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=" + job, Limit: 1}); err != nil { // a reflector that is refused tries again, silently
		return Explain(err, "watch the pods of Job %s", job)
	}
	w, stop := newWatches(ctx)
	defer stop()
	defer w.ringEvery(2 * time.Second)() // where no pod comes, nothing else would
	store := w.watch(c.core.RESTClient(), "pods", ns, &corev1.Pod{}, func(o *metav1.ListOptions) { o.LabelSelector = batchv1.JobNameLabel + "=" + job })
	return w.each([]*changeStore{store}, func() (bool, error) {
		var newest *corev1.Pod
		for _, p := range all[corev1.Pod](store) {
			if newest == nil || newest.CreationTimestamp.Before(&p.CreationTimestamp) {
				newest = p
			}
		}
		return see(newest)
	})
}
