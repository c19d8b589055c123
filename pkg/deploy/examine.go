package deploy

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/internal/job"
	"norn/pkg/deploy/rollout"
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/platform"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// examination is one run of verify.
type examination struct {
	*run
	s      shipment
	out    io.Writer
	beside bool // the Pod is one of a canary: only what the command says is evidence
}

// examine starts one Pod of the new version that no Service selects, waits until it is ready, and runs verify's command
// against it. It removes the Pod and the Job in any case, and first those of runs that were killed. If the version
// fails, the evidence is not nil; it has been shown.
func (e *examination) examine(ctx context.Context) (result pipeline.Result, failed *rollout.Failure, err error) {
	if err := e.removeEarlier(ctx); err != nil {
		return result, nil, err
	}
	next, err := e.nextPods(ctx)
	if err != nil {
		return result, nil, err
	}
	if next.Replicas == 0 {
		return pipeline.Result{State: pipeline.Skipped, Detail: "the Deployment is scaled to 0"}, nil, nil
	}
	made, err := e.pod(ctx, next.Template)
	if err != nil {
		return result, nil, err
	}
	created, failed, err := e.create(ctx, made)
	if err != nil { // the API server may have created it
		cleanup, cancel := lease.CleanupContext(ctx, examineTimeout)
		defer cancel()
		return result, nil, errors.Join(err, e.removeEarlier(cleanup))
	}
	if failed != nil {
		return result, failed, nil
	}
	defer func() {
		if removeErr := e.remove(ctx, created); removeErr != nil {
			err = errors.Join(err, removeErr)
		}
	}()
	_, _ = fmt.Fprintf(e.out, "Pod %s has the new version, and no Service selects it\n", made.Name)
	watch := rollout.PodWatch{Made: made}
	if objects.VerifyTarget(e.spec, made) == "" {
		watch.Hold = workerTrial
	}
	now, failed, err := e.options.WatchPod(ctx, e.cluster, e.out, watch)
	if err != nil || failed != nil {
		return result, failed, err
	}
	if failed, err = e.command(ctx, now); err != nil || failed != nil {
		return result, failed, err
	}
	detail := fmt.Sprintf("Pod %s is ready; %s", made.Name, commandLine(e.spec.Verify))
	return pipeline.Result{State: pipeline.Done, Detail: detail}, nil, nil
}

// removeEarlier deletes the Pods and Jobs of runs that were killed.
func (e *examination) removeEarlier(ctx context.Context) error {
	pods, err := e.cluster.VerifyPods(ctx, e.options.Namespace, e.spec.App)
	if err != nil {
		return err
	}
	for i := range pods {
		if err := e.cluster.Delete(ctx, &pods[i]); err != nil {
			return err
		}
	}
	return job.RemoveVerify(ctx, e.cluster, e.options.Namespace, e.spec.App)
}

// nextPods returns the Pods that the rollout will start, apart from the image.
func (e *examination) nextPods(ctx context.Context) (forge.NextPods, error) {
	if !e.options.VersionOnly {
		return forge.NextPodsOf(ctx, e.cluster, e.spec, forge.Options{Settings: e.options.Settings})
	}
	live, err := e.cluster.GetDeployment(ctx, e.options.Namespace, e.spec.Workload())
	if err != nil {
		return forge.NextPods{}, err
	}
	return forge.PodsOf(live), nil
}

// pod returns the Pod to examine.
func (e *examination) pod(ctx context.Context, template *corev1.PodTemplateSpec) (*corev1.Pod, error) {
	ns, app := e.options.Namespace, e.spec.App
	services, err := e.cluster.ListAllServices(ctx, ns)
	if err != nil && !unreadable(err) {
		return nil, err
	}
	lifetime := 2*e.options.Timeout + workerTrial + 2*time.Minute // the deletion comes long before that
	made, err := objects.VerifyPod(e.spec, template, services, lifetime)
	if err != nil {
		return nil, err
	}
	made.Namespace = ns
	made.Name = strings.TrimRight(app[:min(len(app), 45)], "-") + "-verify-" + strings.ToLower(rand.Text()[:6])
	policy, err := objects.PullPolicy(e.s.image)
	if err != nil {
		return nil, err
	}
	c := metadata.AppContainer(&made.Spec, app)
	c.Image, c.ImagePullPolicy = e.s.image, policy
	platform.Require(&made.Spec, e.s.platforms(e.s.live.pod, app))
	err = objects.WithoutMissingClaims(&made.Spec, func(claim string) (bool, error) {
		_, err := e.cluster.GetPVC(ctx, ns, claim)
		if k8s.IsNotFound(err) {
			return false, nil
		}
		return true, err
	})
	return made, err
}

// examineTimeout is how long norn waits for the creation and the deletion of the Pod, even after a signal.
const examineTimeout = 30 * time.Second

// create creates the Pod. A signal does not cancel the request: the API server may have created the Pod already. If the
// API server refuses the Pod, the evidence is not nil.
func (e *examination) create(ctx context.Context, made *corev1.Pod) (*corev1.Pod, *rollout.Failure, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, context.Cause(ctx)
	}
	bounded, cancel := lease.CleanupContext(ctx, examineTimeout)
	defer cancel()
	return e.options.CreatePod(bounded, e.cluster, e.out, made)
}

// remove deletes the Pod, and waits until it has ended: it may use what the new Pods need. After a signal, it does not
// wait.
func (e *examination) remove(ctx context.Context, pod *corev1.Pod) error {
	grace := examineTimeout
	if seconds := pod.Spec.TerminationGracePeriodSeconds; seconds != nil {
		grace += time.Duration(*seconds) * time.Second
	}
	bounded, cancel := lease.CleanupContext(ctx, grace)
	defer cancel()
	if err := e.cluster.Delete(bounded, pod); err != nil || ctx.Err() != nil {
		return err
	}
	err := e.cluster.ObservePod(bounded, e.spec.App, pod, func(o k8srollout.Observation) (bool, error) {
		return len(o.Pods) == 0, nil
	})
	if err != nil {
		pipeline.Warn(e.out, "Pod %s has not ended yet: %v", pod.Name, err)
	}
	return nil
}

// command runs verify's command as a Job.
func (e *examination) command(ctx context.Context, target *corev1.Pod) (*rollout.Failure, error) {
	pod, err := objects.Verify(e.spec, e.options.Settings, e.s.image, objects.VerifyTarget(e.spec, target))
	if err != nil {
		return nil, err
	}
	platform.Require(pod, e.s.platforms(e.s.live.pod, e.spec.App))
	tail := e.options.NewTail()
	request := job.Request{
		Namespace: e.options.Namespace, App: e.spec.App, Timeout: e.options.Timeout,
		Out: io.MultiWriter(e.out, tail), Say: func(line string) { _, _ = fmt.Fprintln(e.out, line) },
		Shows: func(ctx context.Context) bool { return e.hideReferenced(ctx, e.out) },
	}
	if request.Labels, request.Annotations, err = objects.JobMeta(e.spec); err != nil {
		return nil, err
	}
	err = job.Verify(ctx, e.cluster, request, *pod)
	switch {
	case err == nil:
		return nil, nil //nolint:nilnil // no evidence of a failure
	case ctx.Err() != nil:
		return nil, fmt.Errorf("verify was interrupted; the running version is unchanged: %w", err)
	}
	_, denied := errors.AsType[*k8s.DeniedError](err)
	_, exited := errors.AsType[*job.ExitError](err)
	if denied || e.beside && !exited {
		return nil, err
	}
	e.options.ShowLog(ctx, e.cluster, e.out, target)
	pipeline.Fail(e.out)
	return &rollout.Failure{
		App: e.spec.App, Namespace: e.options.Namespace, Image: e.s.image, Reason: k8srollout.VerifyFailed,
		Message: err.Error(), Pod: target.Name, Container: e.spec.App, Ready: 1, Want: 1, Log: tail.Lines(),
		Hint: "see the output of verify and of the Pod above",
	}, nil
}
