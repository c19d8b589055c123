package rollout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// VerifyError reports that a new version was not verified, so that no rollout began.
type VerifyError struct {
	Evidence Failure
	Migrated bool   // the version's migration has run
	Snapshot string // of the database before the migration, or ""
}

// Error returns the cause, and what runs now.
func (e *VerifyError) Error() string {
	text := fmt.Sprintf("verify of %s failed (%s): %s; the running version is unchanged",
		e.Evidence.App, e.Evidence.Reason, e.Evidence.Message)
	if e.Migrated {
		text += ", but the migration has been applied"
	}
	return text
}

// Hint returns what to do about the cause and about the migration.
func (e *VerifyError) Hint() string {
	hint := e.Evidence.Hint
	switch {
	case e.Migrated && e.Snapshot != "":
		hint += "; to undo the migration, run norn snapshots restore " + e.Snapshot
	case e.Migrated:
		hint += "; the running version now works with the migrated database"
	}
	return hint
}

// Failure returns the evidence, for machine-readable output.
func (e *VerifyError) Failure() any { return e.Evidence }

// PodWatch describes a Pod to watch that no controller owns.
type PodWatch struct {
	Made *corev1.Pod   // as it was sent to the API server
	Hold time.Duration // how long it must run without ending
}

// WatchPod watches a Pod until it is ready, by the rules for a rollout, and returns it. If the Pod fails, the evidence
// is not nil; it has been shown. The Pod's node may keep it from being ready; then the error is a *NodeError.
func (t Target) WatchPod(
	ctx context.Context, cluster *k8s.Client, out io.Writer, p PodWatch,
) (now *corev1.Pod, failed *Failure, err error) {
	r := &runner{Target: t, cluster: cluster, out: out, changed: true}
	w := &watcher{runner: r, judge: k8srollout.JudgePod, hold: p.Hold}
	bounded, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	err = cluster.ObservePod(bounded, t.App, p.Made, func(o k8srollout.Observation) (bool, error) {
		if len(o.Pods) == 0 && now == nil { // the watch is older than the Pod
			return false, nil
		}
		if len(o.Pods) > 0 {
			now = o.Pods[0]
		}
		r.applied = o.Deployment
		w.observe(bounded, o)
		return w.verdict.State == k8srollout.Failed || w.verdict.State == k8srollout.Complete, nil
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = w.timeUp(ctx)
	}
	if err != nil || w.verdict.State == k8srollout.Complete {
		return now, nil, err
	}
	f := r.podFailure(ctx, p.Made, w.verdict)
	return now, &f, nil
}

// CreatePod creates a Pod that no controller owns. If the API server refuses it, the evidence is not nil; it has been
// shown.
func (t Target) CreatePod(
	ctx context.Context, cluster *k8s.Client, out io.Writer, made *corev1.Pod,
) (*corev1.Pod, *Failure, error) {
	for since := time.Now(); ; {
		created, err := cluster.CreatePod(ctx, made)
		message, refused := k8s.Refusal(err)
		if !refused {
			return created, nil, err
		}
		v := k8srollout.RefusedPod(message)
		if time.Since(since) >= v.Patience {
			r := &runner{Target: t, cluster: cluster, out: out}
			f := r.podFailure(ctx, made, v)
			return nil, &f, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}

// podFailure shows the evidence of a Pod that has failed, and returns it.
func (r *runner) podFailure(ctx context.Context, made *corev1.Pod, v k8srollout.Verdict) Failure {
	f := r.investigate(ctx, v)
	f.Image = metadata.ImageOf(made.Spec, r.App)
	if f.Reason == k8srollout.TimedOut { // nobody can look at the Pod any more
		f.Hint = "if it only needs more time, for example to pull the image, raise --timeout"
	}
	f.show(r.out)
	pipeline.Fail(r.out)
	return f
}

// ShowLog prints the end of the log of a Pod that will be deleted.
func (t Target) ShowLog(ctx context.Context, cluster *k8s.Client, out io.Writer, pod *corev1.Pod) {
	r := &runner{Target: t, cluster: cluster, out: out}
	r.applied = k8srollout.Observation{}.OfPod(t.App, pod, pod).Deployment
	var lines []string
	err := r.hideReferenced(ctx)
	if err == nil {
		lines, err = r.tail(ctx, k8srollout.Verdict{Pod: pod.Name, Container: t.App}, false)
	}
	f := Failure{Log: lines}
	if err != nil {
		_, _ = fmt.Fprintf(out, "not read: log: %v\n", err)
	}
	if len(lines) > 0 {
		_, _ = fmt.Fprintf(out, "the last lines of Pod %s:\n", pod.Name)
		f.printLog(out, last(lines, shownLines))
	}
}

// Save writes the evidence into the folder for it, if there is one.
func (t Target) Save(out io.Writer, f Failure) {
	if t.Failures == "" {
		return
	}
	r := &runner{Target: t, out: out}
	if err := r.save(f, time.Now()); err != nil {
		_, _ = fmt.Fprintln(out, err)
	}
}

// Tail keeps the end of a log, without secret values.
type Tail struct {
	end logEnd
	to  io.WriteCloser
}

// NewTail returns an empty Tail. t's Redactor knows the secret values.
func (t Target) NewTail() *Tail {
	l := &Tail{}
	l.to = &l.end
	if t.Redactor != nil {
		l.to = t.Redactor.Writer(&l.end)
	}
	return l
}

// Write implements io.Writer.
func (l *Tail) Write(p []byte) (int, error) { return l.to.Write(p) }

// Lines ends the log and returns its last lines.
func (l *Tail) Lines() []string {
	_ = l.to.Close() // it writes to memory
	_ = l.end.Close()
	return l.end.lines
}
