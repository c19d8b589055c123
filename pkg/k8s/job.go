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

// CreateJob creates a Job under a name that only this run uses.
func (c *Client) CreateJob(ctx context.Context, job *batchv1.Job) (*batchv1.Job, error) {
	j, err := createOnce(ctx, c.batch.Jobs(job.Namespace), job, c.createOptions())
	return j, Explain(err, "create Job %s", job.Name)
}

// creator is a typed client of objects of type T.
type creator[T any] interface {
	Create(ctx context.Context, o T, opts metav1.CreateOptions) (T, error)
	Get(ctx context.Context, name string, opts metav1.GetOptions) (T, error)
}

// createOnce creates an object under a name that only this run uses.
func createOnce[T metav1.Object](ctx context.Context, client creator[T], o T, opts metav1.CreateOptions) (T, error) {
	created, err := client.Create(ctx, o, opts)
	if IsAlreadyExists(err) { // by an earlier request whose answer was lost
		return client.Get(ctx, o.GetName(), metav1.GetOptions{})
	}
	return created, err
}

// ResumeJob starts a Job that was created suspended.
func (c *Client) ResumeJob(ctx context.Context, ns, name string) error {
	patch := []byte(`{"spec":{"suspend":false}}`)
	_, err := c.batch.Jobs(ns).Patch(ctx, name, types.MergePatchType, patch, c.patchOptions(metadata.ForgeManager))
	return Explain(err, "start Job %s", name)
}

// ListJobs lists an app's Jobs of one kind, which is the value of their JobLabel.
func (c *Client) ListJobs(ctx context.Context, ns, app, kind string) ([]batchv1.Job, error) {
	only := ownedSelector(app) + "," + metadata.JobLabel + "=" + kind
	l, err := c.batch.Jobs(ns).List(ctx, metav1.ListOptions{LabelSelector: only})
	if err != nil {
		return nil, Explain(err, "list the Jobs of %s", app)
	}
	return owned(l.Items, nil), nil
}

// CreateOwnedSecret creates a Secret with a Job's name that is deleted with the Job. Its error never contains a value.
func (c *Client) CreateOwnedSecret(ctx context.Context, owner *batchv1.Job, data map[string][]byte) error {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: owner.Name, Namespace: owner.Namespace, Labels: owner.Labels,
			OwnerReferences: []metav1.OwnerReference{
				*metav1.NewControllerRef(owner, batchv1.SchemeGroupVersion.WithKind("Job")),
			},
		},
		Type: corev1.SecretTypeOpaque,
		Data: data,
	}
	_, err := c.core.Secrets(owner.Namespace).Create(ctx, secret, c.createOptions())
	if IsAlreadyExists(err) { // by an earlier request whose answer was lost
		err = nil
	}
	if apierrors.IsInvalid(err) { // the server's message quotes invalid values
		err = errors.New("the API server rejected it as invalid")
	}
	return Explain(err, "create Secret %s", owner.Name)
}

// JobWarning returns the last warning event of a Job, or "". The event explains why the Job cannot create its Pod.
func (c *Client) JobWarning(ctx context.Context, ns, job string) (string, error) {
	about := "involvedObject.kind=Job,involvedObject.name=" + job
	l, err := c.core.Events(ns).List(ctx, metav1.ListOptions{FieldSelector: about})
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

// WatchJobPod watches the newest pod of a Job. It calls see with every new state, or nil while there is no pod, until
// see is done, returns an error, or ctx ends.
func (c *Client) WatchJobPod(ctx context.Context, ns, job string, see func(*corev1.Pod) (done bool, err error)) error {
	// A reflector retries a denied request silently, so list once to get the error.
	byJob := batchv1.JobNameLabel + "=" + job
	if _, err := c.core.Pods(ns).List(ctx, metav1.ListOptions{LabelSelector: byJob, Limit: 1}); err != nil {
		return Explain(err, "watch the Pods of Job %s", job)
	}
	w, stop := newWatches(ctx)
	defer stop()
	w.notifyEvery(2 * time.Second) // without a pod, no watch event would call see
	store := w.reflect(c.core.RESTClient(), "pods", ns, &corev1.Pod{},
		func(o *metav1.ListOptions) { o.LabelSelector = byJob })
	return w.each(ctx, []*changeStore{store}, func() (bool, error) {
		var newest *corev1.Pod
		for _, p := range all[corev1.Pod](store) {
			if newest == nil || newest.CreationTimestamp.Before(&p.CreationTimestamp) {
				newest = p
			}
		}
		return see(newest)
	})
}
