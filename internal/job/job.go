// Package job runs one-off Jobs: commands in an app's image, calls of functions, migrations, and verify.
package job

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/platform"
)

// Request describes a Job to run.
type Request struct {
	Namespace, App string
	Workload       string        // whose Pod or schedule runs; the default is the app's main one
	Repository     string        // of the app's infraspec on this machine, for Command; or ""
	Environment    string        // the chosen one, or ""
	Timeout        time.Duration // time limit; 0 means none
	In             io.Reader     // the container's standard input, for Command; nil for none
	Out            io.Writer     // receives the container's output
	Err            io.Writer     // receives its stderr, if the cluster can tell it apart; nil if Out gets both in order
	Say            func(string)  // receives warnings and progress, line by line
	// Shows, if not nil, is called once the container has started, and reports whether its output may be shown.
	Shows func(context.Context) bool
	// Labels and Annotations are those of the Job's Pod, in addition to norn's.
	Labels, Annotations map[string]string
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

// NotDeployedError reports that the app has no Pods whose image could run.
type NotDeployedError struct {
	App, Namespace string
	Function       bool // the app is a function, which has no Pods between its calls
}

// Error names the app and its namespace.
func (e *NotDeployedError) Error() string {
	if e.Function {
		return fmt.Sprintf("%s in namespace %s is a function: norn run needs a Deployment or a CronJob", e.App, e.Namespace)
	}
	return fmt.Sprintf("%s has not been deployed in namespace %s: there is no image to run", e.App, e.Namespace)
}

// Hint returns the command that deploys the app, or that calls the function.
func (e *NotDeployedError) Hint() string {
	if e.Function {
		return fmt.Sprintf("call it with norn invoke %s", e.App)
	}
	return fmt.Sprintf("deploy it with norn deploy %s", e.App)
}

// Command runs a command in the app's own Pod template, with its image, environment, secrets, volumes and sidecars. If
// the app's container exits with a code other than 0, the error is an *ExitError. It is also an error if part of the
// output cannot be read.
func Command(ctx context.Context, cluster *k8s.Client, r Request, args []string) error {
	template, err := appPod(ctx, cluster, r)
	if err != nil {
		return err
	}
	pod := &template.Spec
	r.Labels, r.Annotations = objects.OwnMeta(template.Labels), objects.OwnMeta(template.Annotations)
	c := runs(pod, r.App, args)
	in, err := usableInput(ctx, cluster, r)
	if err != nil {
		return err
	}
	// Without StdinOnce, the kubelet would leave the container's input open after its end.
	c.Stdin, c.StdinOnce, c.TTY = in != nil, in != nil, false
	return run(ctx, cluster, r, work{kind: "run", pod: *pod, in: in})
}

// runs turns an app's Pod into one that runs a command, and returns its container. Sidecars stay, because the command
// may need them.
func runs(pod *corev1.PodSpec, app string, args []string) *corev1.Container {
	c := metadata.AppContainer(pod, app)
	c.Command, c.Args = objects.EscapeDollars(args), nil
	c.LivenessProbe, c.ReadinessProbe, c.StartupProbe = nil, nil, nil
	for i := range pod.Containers {
		one := &pod.Containers[i]
		one.Ports = nil // a host port is the running Pod's
		// Nothing sends requests to a Job's Pod, so it ends at once. A sidecar's own hook may have work to do.
		if hooks := one.Lifecycle; hooks != nil && hooks.PreStop != nil && (one == c || hooks.PreStop.Sleep != nil) {
			hooks.PreStop = nil
		}
	}
	return c
}

func (r Request) workload() string { return cmp.Or(r.Workload, r.App) }

func (r Request) owner() objects.Owner {
	return objects.Owner{App: r.App, Repository: r.Repository, Environment: r.Environment}
}

// appPod returns the Pod template of the Deployment or the CronJob of the app's process.
func appPod(ctx context.Context, cluster *k8s.Client, r Request) (*corev1.PodTemplateSpec, error) {
	d, err := cluster.GetDeployment(ctx, r.Namespace, r.workload())
	switch {
	case err == nil && metadata.CanaryOf(d) != nil:
		return beforeCanary(ctx, cluster, d, r)
	case err == nil && !d.Spec.Paused:
		err := objects.CheckWorkloadByName(objects.KindDeployment, d, r.owner())
		return d.Spec.Template.DeepCopy(), err
	case err != nil && !k8s.IsNotFound(err):
		return nil, err
	}
	c, err := cluster.GetCronJob(ctx, r.Namespace, r.workload())
	switch {
	case err == nil && (c.Spec.Suspend == nil || !*c.Spec.Suspend):
		err := objects.CheckWorkloadByName(objects.KindCronJob, c, r.owner())
		return c.Spec.JobTemplate.Spec.Template.DeepCopy(), err
	case err != nil && !k8s.IsNotFound(err):
		return nil, err
	}
	if _, err := cluster.GetPodTemplate(ctx, r.Namespace, r.App); err == nil {
		return nil, &NotDeployedError{App: r.App, Namespace: r.Namespace, Function: true}
	}
	return nil, &NotDeployedError{App: r.workload(), Namespace: r.Namespace}
}

// beforeCanary returns the Pod template of the version that ran before the canary of a Deployment, or that of the
// canary if norn does not know it.
func beforeCanary(
	ctx context.Context, cluster *k8s.Client, d *appsv1.Deployment, r Request,
) (*corev1.PodTemplateSpec, error) {
	if err := objects.CheckWorkloadByName(objects.KindDeployment, d, r.owner()); err != nil {
		return nil, err
	}
	revisions, err := cluster.Revisions(ctx, d)
	for _, v := range revisions {
		if v.Set.UID == metadata.CanaryOf(d).RanBefore {
			return k8s.TemplateOf(v.Set), nil
		}
	}
	return d.Spec.Template.DeepCopy(), err
}

// Call runs a Pod once, as norn invoke does for a function. It fails like Command.
func Call(ctx context.Context, cluster *k8s.Client, r Request, pod corev1.PodSpec) error {
	return run(ctx, cluster, r, work{kind: "call", pod: pod})
}

// work describes what a Job does.
type work struct {
	kind   string // the value of its label
	pod    corev1.PodSpec
	values map[string][]byte // if not nil, the Job gets its own Secret
	in     *input            // if not nil, the container waits for it
	ends   bool              // the Job ends by itself if norn is killed, even if its Pod never starts
}

// keptSeconds is how long Kubernetes keeps a finished Job if norn was killed before deleting it.
const keptSeconds = int32(300)

// endsLater is how long after its Pod's deadline a Job ends that ends by itself. The Pod must have told how it ended.
const endsLater = time.Minute

// object returns the Job. Its Pod does not have the app's label, because the app's Service would send it requests.
func object(r Request, w work) *batchv1.Job {
	kind, pod := w.kind, w.pod
	none, ttl := int32(0), keptSeconds
	pod.RestartPolicy = corev1.RestartPolicyNever
	labels := objects.JobLabels(r.App, kind)
	name := strings.TrimRight(r.App[:min(len(r.App), 45)], "-") + "-" + kind + "-" + strings.ToLower(rand.Text()[:6])
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name:      name,
			Namespace: r.Namespace,
			Labels:    map[string]string{metadata.AppLabel: r.App},
		},
		Spec: batchv1.JobSpec{
			BackoffLimit: &none, TTLSecondsAfterFinished: &ttl,
			Template: corev1.PodTemplateSpec{ObjectMeta: podMeta(r, labels), Spec: pod},
		},
	}
	for k, v := range labels {
		job.Labels[k] = v
	}
	if w.values != nil { // suspended until its Secret exists
		suspended := true
		job.Spec.Suspend = &suspended
		objects.RenameSecret(&job.Spec.Template.Spec, objects.SecretName(r.App), name)
	}
	if r.Timeout > 0 { // the deadline of the Pod: a Job's deadline would delete the Pod with its status
		seconds := max(1, int64(math.Ceil(r.Timeout.Seconds())))
		job.Spec.Template.Spec.ActiveDeadlineSeconds = &seconds
		if w.ends {
			later := seconds + int64(endsLater.Seconds())
			job.Spec.ActiveDeadlineSeconds = &later
		}
	}
	return job
}

// run creates the Job, shows its output, and always deletes it.
func run(ctx context.Context, cluster *k8s.Client, r Request, w work) (err error) {
	job := object(r, w)
	made, err := create(ctx, cluster, job)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := lease.CleanupContext(ctx, callTimeout)
		defer cancel()
		if deleteErr := cluster.Delete(ctx, made); deleteErr != nil {
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
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var input *passing
	if w.in != nil && !c.hasEnded(started) {
		input = pass(ctx, cluster, r, attachment{started, c, w.in}, fail)
	}
	if r.Shows != nil && !r.Shows(ctx) {
		r.Out, r.Err = io.Discard, nil
	}
	ended, err := showToEnd(ctx, cluster, r, started, target{job.Name, c, c.hasEnded})
	inputErr := input.end()
	if err != nil {
		return err
	}
	if err := cmp.Or(c.verdict(ended.Pod), inputErr); err != nil {
		return err
	}
	if ended.incomplete && w.kind != migration && w.kind != objects.VerifyJob { // their output is not their result
		return errors.New("the container exited with code 0, but part of its output was not read")
	}
	return nil
}

// callTimeout is how long norn waits for the creation and for the deletion of a Job, even after a signal.
const callTimeout = 30 * time.Second

// create creates a Job. A signal does not cancel the request: the API server may have created the Job already, and
// nothing would delete the Job.
func create(ctx context.Context, cluster *k8s.Client, job *batchv1.Job) (*batchv1.Job, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := lease.CleanupContext(ctx, callTimeout)
	defer cancel()
	return cluster.CreateJob(ctx, job)
}

// FunctionVersion returns the image that the last deploy of a function app shipped, and the platforms that its Pods
// require of their nodes. It returns a *NotDeployedError if there was no deploy.
func FunctionVersion(
	ctx context.Context, cluster *k8s.Client, ns, app, environment string,
) (image string, platforms []string, err error) {
	t, err := cluster.GetPodTemplate(ctx, ns, app)
	if k8s.IsNotFound(err) {
		return "", nil, &NotDeployedError{App: app, Namespace: ns}
	}
	if err == nil {
		err = objects.CheckOwner("PodTemplate", t, app)
	}
	if err == nil {
		err = objects.CheckEnvironment("PodTemplate", t, environment)
	}
	if err != nil {
		return "", nil, err
	}
	return metadata.ImageOf(t.Template.Spec, app), platform.Of(t.Template.Spec), nil
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
