// Package job runs one-off Jobs: commands in an app's image, calls of functions, and migrations.
package job

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// Request describes a Job to run.
type Request struct {
	Namespace, App string
	Timeout        time.Duration // time limit; 0 means none
	Out            io.Writer     // receives the container's output
	Say            func(string)  // receives warnings and progress, line by line
}

// ExitError reports that the container exited with a code other than 0.
type ExitError struct {
	Code int
	What string // why it ended, or "" if unknown
}

// Error returns how the container ended.
func (e *ExitError) Error() string {
	if e.What != "" {
		return fmt.Sprintf("the container exited with code %d: %s", e.Code, e.What)
	}
	return fmt.Sprintf("the container exited with code %d", e.Code)
}

// NotDeployedError reports that the app has no image to run yet.
type NotDeployedError struct{ App, Namespace string }

// Error names the app and its namespace.
func (e *NotDeployedError) Error() string {
	return fmt.Sprintf("%s has not been deployed in namespace %s: there is no image to run", e.App, e.Namespace)
}

// Hint returns the command that deploys the app.
func (e *NotDeployedError) Hint() string {
	return fmt.Sprintf("deploy it with norn deploy %s", e.App)
}

// Command runs a command in the app's own Pod template, with its image, environment, secrets, volumes and sidecars. If
// the app's container exits with a code other than 0, the error is an *ExitError.
func Command(ctx context.Context, cluster *k8s.Client, r Request, args []string) error {
	pod, err := appPod(ctx, cluster, r)
	if err != nil {
		return err
	}
	c := metadata.AppContainer(pod, r.App)
	c.Command, c.Args = objects.EscapeDollars(args), nil
	c.LivenessProbe, c.ReadinessProbe, c.StartupProbe = nil, nil, nil
	for i := range pod.Containers { // sidecars stay, because the command may need them; a host port is the running Pod's
		pod.Containers[i].Ports = nil
	}
	return run(ctx, cluster, r, work{kind: "run", pod: *pod})
}

// appPod returns the Pod spec of the app's Deployment or CronJob.
func appPod(ctx context.Context, cluster *k8s.Client, r Request) (*corev1.PodSpec, error) {
	d, err := cluster.GetDeployment(ctx, r.Namespace, r.App)
	switch {
	case err == nil && !d.Spec.Paused:
		return d.Spec.Template.Spec.DeepCopy(), objects.CheckOwner("Deployment", d, r.App)
	case err != nil && !k8s.IsNotFound(err):
		return nil, err
	}
	c, err := cluster.GetCronJob(ctx, r.Namespace, r.App)
	switch {
	case err == nil && (c.Spec.Suspend == nil || !*c.Spec.Suspend):
		return c.Spec.JobTemplate.Spec.Template.Spec.DeepCopy(), objects.CheckOwner("CronJob", c, r.App)
	case err != nil && !k8s.IsNotFound(err):
		return nil, err
	}
	return nil, &NotDeployedError{r.App, r.Namespace}
}

// Call runs a Pod once, as norn invoke does for a function.
func Call(ctx context.Context, cluster *k8s.Client, r Request, pod corev1.PodSpec) error {
	return run(ctx, cluster, r, work{kind: "call", pod: pod})
}

// work describes what a Job does.
type work struct {
	kind   string // the value of its label
	pod    corev1.PodSpec
	values map[string][]byte // if not nil, the Job gets its own Secret
}

// keptSeconds is how long Kubernetes keeps a finished Job if norn was killed before deleting it.
const keptSeconds = int32(300)

// object returns the Job. Its Pod does not have the app's label, because the app's Service would send it requests.
func object(r Request, w work) *batchv1.Job {
	kind, pod := w.kind, w.pod
	none, ttl := int32(0), keptSeconds
	pod.RestartPolicy = corev1.RestartPolicyNever
	labels := map[string]string{
		metadata.ManagedByLabel:        metadata.ManagedBy,
		"app.kubernetes.io/name":       r.App,
		"app.kubernetes.io/managed-by": metadata.ManagedBy,
		metadata.JobLabel:              kind,
	}
	name := strings.TrimRight(r.App[:min(len(r.App), 45)], "-") + "-" + kind + "-" + strings.ToLower(rand.Text()[:6])
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name:      name,
			Namespace: r.Namespace,
			Labels:    map[string]string{metadata.AppLabel: r.App},
		},
		Spec: batchv1.JobSpec{
			BackoffLimit: &none, TTLSecondsAfterFinished: &ttl,
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod},
		},
	}
	for k, v := range labels {
		job.Labels[k] = v
	}
	if w.values != nil { // suspended until its Secret exists
		suspended := true
		job.Spec.Suspend = &suspended
		readOwnSecret(&job.Spec.Template.Spec, objects.SecretName(r.App), name)
	}
	if r.Timeout > 0 { // the deadline of the Pod: a Job's deadline would delete the Pod with its status
		seconds := max(1, int64(math.Ceil(r.Timeout.Seconds())))
		job.Spec.Template.Spec.ActiveDeadlineSeconds = &seconds
	}
	return job
}

// run creates the Job, shows its output, and always deletes it.
func run(ctx context.Context, cluster *k8s.Client, r Request, w work) (err error) {
	job := object(r, w)
	made, err := cluster.CreateJob(ctx, job)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if deleteErr := cluster.DeleteJob(ctx, r.Namespace, job.Name); deleteErr != nil {
			err = errors.Join(err, deleteErr)
		}
	}()
	if w.values != nil {
		if err := startWithSecret(ctx, cluster, made, w.values); err != nil {
			return err
		}
	}
	c := container(metadata.AppContainer(&w.pod, r.App).Name)
	started, err := waitForPod(ctx, cluster, r, target{job.Name, c, c.hasStarted})
	if err != nil {
		return err
	}
	if err := show(ctx, cluster, r, started, string(c)); err != nil {
		return err
	}
	ended, err := waitForPod(ctx, cluster, r, target{job.Name, c, c.hasEnded})
	if err != nil {
		return err
	}
	return c.verdict(ended)
}

// FunctionImage returns the image that the last deploy of a function app shipped, or a *NotDeployedError.
func FunctionImage(ctx context.Context, cluster *k8s.Client, ns, app string) (string, error) {
	t, err := cluster.GetPodTemplate(ctx, ns, app)
	if k8s.IsNotFound(err) {
		return "", &NotDeployedError{app, ns}
	}
	if err == nil {
		err = objects.CheckOwner("PodTemplate", t, app)
	}
	if err != nil {
		return "", err
	}
	return metadata.ImageOf(t.Template.Spec, app), nil
}

// Body returns the body of a call: text itself or, for "@path", the content of that file or of standard input.
func Body(text string, read func(path string) ([]byte, error)) (string, error) {
	path, isFile := strings.CutPrefix(text, "@")
	if !isFile {
		return text, nil
	}
	data, err := read(path)
	if err != nil {
		return "", fmt.Errorf("read the body: %w", err)
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "", errors.New("the body contains a NUL byte, which an environment variable cannot hold")
	}
	return string(data), nil
}
