// Package job runs one-off Jobs of an app: a command in the app's own image, or a call of a function.
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

	"norn/internal/logs"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
)

// Request is one Job to run.
type Request struct {
	Namespace, App string
	Timeout        time.Duration // how long it may take; 0 is as long as it likes
	Out            io.Writer     // gets what the container prints
	Say            func(string)  // is told, a line each, what else there is to say
}

// ExitError says that the container has ended with another code than 0.
type ExitError struct {
	Code int
	What string // how it ended, where that is more than its code
}

// Error says how it ended.
func (e *ExitError) Error() string {
	if e.What != "" {
		return fmt.Sprintf("the container exited with code %d: %s", e.Code, e.What)
	}
	return fmt.Sprintf("the container exited with code %d", e.Code)
}

// NotDeployedError says that there is no image to run yet.
type NotDeployedError struct{ App, Namespace string }

// Error names the app.
func (e *NotDeployedError) Error() string {
	return fmt.Sprintf("%s has not been deployed in namespace %s: there is no image to run", e.App, e.Namespace)
}

// Hint is what to do about it.
func (e *NotDeployedError) Hint() string {
	return fmt.Sprintf("deploy it with norn deploy %s", e.App)
}

// Command runs a command in the app's own pod template: its image, environment, secrets and volumes. The container's exit code other than 0 is an
// *ExitError.
func Command(ctx context.Context, cluster *k8s.Client, r Request, args []string) error {
	pod, err := template(ctx, cluster, r)
	if err != nil {
		return err
	}
	c := &pod.Containers[0]
	c.Command, c.Args = objects.EscapeDollars(args), nil
	c.Ports, c.LivenessProbe, c.ReadinessProbe, c.StartupProbe = nil, nil, nil, nil
	return run(ctx, cluster, r, work{kind: "run", pod: *pod})
}

// template is the pod of the app's Deployment or CronJob.
func template(ctx context.Context, cluster *k8s.Client, r Request) (*corev1.PodSpec, error) {
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

// Call runs a pod once, as invoke does for a function.
func Call(ctx context.Context, cluster *k8s.Client, r Request, pod corev1.PodSpec) error {
	return run(ctx, cluster, r, work{kind: "call", pod: pod})
}

// work is what a Job is to do.
type work struct {
	kind   string // the value of its label
	pod    corev1.PodSpec
	values map[string][]byte // where not nil, a Secret of the Job's own
}

// keptFor is how long a Job whose norn was killed stays after its end.
const keptFor = int32(300)

// object is the Job. Its pod does not bear the app's label, since the app's Service would send it requests.
func object(r Request, w work) *batchv1.Job {
	kind, pod := w.kind, w.pod
	none, ttl := int32(0), keptFor
	pod.RestartPolicy = corev1.RestartPolicyNever
	labels := map[string]string{metadata.ManagedByLabel: metadata.ManagedBy, "app.kubernetes.io/name": r.App, "app.kubernetes.io/managed-by": metadata.ManagedBy, metadata.JobLabel: kind}
	name := strings.TrimRight(r.App[:min(len(r.App), 45)], "-") + "-" + kind + "-" + strings.ToLower(rand.Text()[:6])
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: r.Namespace, Labels: map[string]string{metadata.AppLabel: r.App}},
		Spec: batchv1.JobSpec{
			BackoffLimit: &none, TTLSecondsAfterFinished: &ttl,
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod},
		},
	}
	for k, v := range labels {
		job.Labels[k] = v
	}
	if w.values != nil { // it begins when they are there
		suspended := true
		job.Spec.Suspend = &suspended
		readOwnSecret(&job.Spec.Template.Spec, objects.SecretName(r.App), name)
	}
	if r.Timeout > 0 { // the pod's own, since a Job's deletes the pod, and how it ended with it
		seconds := max(1, int64(math.Ceil(r.Timeout.Seconds())))
		job.Spec.Template.Spec.ActiveDeadlineSeconds = &seconds
	}
	return job
}

// run makes the Job, shows what it prints, and deletes it, however it ends.
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
		if err := bring(ctx, cluster, made, w.values); err != nil {
			return err
		}
	}
	started, err := await(ctx, cluster, r, job.Name, hasStarted)
	if err != nil {
		return err
	}
	if err := show(ctx, cluster, r, started); err != nil {
		return err
	}
	ended, err := await(ctx, cluster, r, job.Name, hasEnded)
	if err != nil {
		return err
	}
	return verdict(ended)
}

// await watches the Job's pod until it is as wanted. A pod that cannot start is an error.
func await(ctx context.Context, cluster *k8s.Client, r Request, job string, is func(*corev1.Pod) bool) (*corev1.Pod, error) {
	var seen *corev1.Pod
	said := ""
	err := cluster.WatchJobPod(ctx, r.Namespace, job, func(p *corev1.Pod) (bool, error) {
		if p == nil && seen != nil {
			return false, errors.New("the pod was deleted")
		}
		if p == nil {
			warning, err := cluster.JobWarning(ctx, r.Namespace, job)
			if err == nil && warning != "" {
				err = fmt.Errorf("the pod cannot be created: %s", warning)
			}
			return false, err
		}
		if reason, message := rollout.BlockedReason(p, time.Now()); reason != "" {
			return false, fmt.Errorf("the pod cannot start (%s): %s", reason, message)
		}
		if sum := rollout.Summarize(p); sum.State == "Unschedulable" && sum.Message != said {
			said = sum.Message
			r.Say("waiting for a node: " + said)
		}
		seen = p
		return is(p), nil
	})
	if err != nil {
		return nil, fmt.Errorf("run Job %s: %w", job, err)
	}
	return seen, nil
}

func hasStarted(p *corev1.Pod) bool {
	s := status(p)
	return hasEnded(p) || s != nil && s.State.Running != nil
}

// hasEnded goes by the pod's phase, which comes after the container's state and with the reason.
func hasEnded(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded
}

func status(p *corev1.Pod) *corev1.ContainerStatus {
	if len(p.Status.ContainerStatuses) == 0 {
		return nil
	}
	return &p.Status.ContainerStatuses[0]
}

// show copies the container's log until it ends.
func show(ctx context.Context, cluster *k8s.Client, r Request, p *corev1.Pod) error {
	out := &output{to: r.Out}
	err := logs.Stream(ctx, cluster, p, p.Spec.Containers[0].Name, logs.StreamSink{Out: out, Warn: r.Say})
	if ctx.Err() != nil {
		return fmt.Errorf("the Job was interrupted and deleted: %w", context.Cause(ctx))
	}
	if out.err != nil { // whoever read it has gone, and does not wait for its end
		return fmt.Errorf("the Job was interrupted and deleted: %w", out.err)
	}
	if err != nil {
		r.Say(fmt.Sprintf("cannot read the pod's log: %v", err)) // it goes on, and its end is waited for
	}
	return nil
}

// output remembers whether it was the writing that failed.
type output struct {
	to  io.Writer
	err error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.to.Write(p)
	o.err = err
	return n, err
}

// verdict is how the container has ended.
func verdict(p *corev1.Pod) error {
	s := status(p)
	switch {
	case p.Status.Reason == "DeadlineExceeded":
		return &ExitError{Code: 124, What: "it ran longer than its timeout"} // as timeout(1) says it
	case s == nil || s.State.Terminated == nil:
		return fmt.Errorf("the pod failed: %s %s", p.Status.Reason, p.Status.Message)
	case s.State.Terminated.ExitCode != 0:
		what := ""
		if s.State.Terminated.Reason != "Error" {
			what = s.State.Terminated.Reason
		}
		return &ExitError{Code: int(s.State.Terminated.ExitCode), What: what}
	}
	return nil
}

// FunctionImage is the image that the last deploy of a function app has shipped, or a *NotDeployedError.
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

// Body is what a call is given: text, or what a file or standard input holds.
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
