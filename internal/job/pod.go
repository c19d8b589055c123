package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/internal/logs"
	"norn/pkg/k8s"
	"norn/pkg/k8s/rollout"
)

// waitForPod watches the Job's Pod until done returns true, and returns the Pod. If the Pod cannot start, it returns
// an error.
func waitForPod(
	ctx context.Context, cluster *k8s.Client, r Request, job string, done func(*corev1.Pod) bool,
) (*corev1.Pod, error) {
	var seen *corev1.Pod
	said := ""
	err := cluster.WatchJobPod(ctx, r.Namespace, job, func(p *corev1.Pod) (bool, error) {
		if p == nil && seen != nil {
			return false, errors.New("the Pod was deleted")
		}
		if p == nil {
			warning, err := cluster.JobWarning(ctx, r.Namespace, job)
			if err == nil && warning != "" {
				err = fmt.Errorf("the Pod cannot be created: %s", warning)
			}
			return false, err
		}
		if reason, message := rollout.BlockedReason(p, time.Now()); reason != "" {
			return false, fmt.Errorf("the Pod cannot start (%s): %s", reason, message)
		}
		if sum := rollout.Summarize(p); sum.State == "Unschedulable" && sum.Message != said {
			said = sum.Message
			r.Say("waiting for a node: " + said)
		}
		seen = p
		return done(p), nil
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

// hasEnded reports whether the Pod has ended. It goes by the phase, which the kubelet sets together with the reason,
// after the container's state.
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
	if out.err != nil { // nobody reads the output any more
		return fmt.Errorf("the Job was interrupted and deleted: %w", out.err)
	}
	if err != nil {
		r.Say(fmt.Sprintf("cannot read the Pod's log: %v", err)) // the Job continues, and run waits for its end
	}
	return nil
}

// output records whether a write failed, to distinguish that from a failed read.
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

// verdict returns an error if the container failed.
func verdict(p *corev1.Pod) error {
	s := status(p)
	switch {
	case p.Status.Reason == "DeadlineExceeded":
		return &ExitError{Code: 124, What: "it ran longer than its timeout"} // the exit code of timeout(1)
	case s == nil || s.State.Terminated == nil:
		return fmt.Errorf("the Pod failed: %s %s", p.Status.Reason, p.Status.Message)
	case s.State.Terminated.ExitCode != 0:
		what := ""
		if s.State.Terminated.Reason != "Error" {
			what = s.State.Terminated.Reason
		}
		return &ExitError{Code: int(s.State.Terminated.ExitCode), What: what}
	}
	return nil
}
