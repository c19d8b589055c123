package status

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s/rollout"
)

// Schedule describes when a cron app runs.
type Schedule struct {
	Cron    string     `json:"cron"`
	Last    *time.Time `json:"last,omitempty"` // when the schedule last started a run
	Success *time.Time `json:"lastSuccess,omitempty"`
	Active  int        `json:"active"`            // number of Pods whose container runs
	LastRun *Run       `json:"lastRun,omitempty"` // newest Job, started by the schedule or by hand
}

// Run is one run of a cron app.
type Run struct {
	Job     string    `json:"job"`
	Started time.Time `json:"started"`
	Outcome Outcome   `json:"outcome"`
	Message string    `json:"message,omitempty"` // why it failed or waits
}

// Outcome is the state of a run, as one word.
type Outcome string

// The states of a run.
const (
	Succeeded  Outcome = "succeeded"
	FailedRun  Outcome = "failed"
	RunningRun Outcome = "running"
	Waiting    Outcome = "waiting" // its container has not started
)

// schedule describes a CronJob and its newest run. The CronJob's own status names the Jobs that the schedule started,
// even if they cannot create Pods.
func (d *detail) schedule(ctx context.Context, c *batchv1.CronJob) error {
	s := &Schedule{Cron: c.Spec.Schedule}
	if t := c.Status.LastScheduleTime; t != nil {
		s.Last = &t.Time
	}
	if t := c.Status.LastSuccessfulTime; t != nil {
		s.Success = &t.Time
	}
	d.Schedule = s
	pods, err := d.cluster.GetPods(ctx, d.settings.Namespace, d.Name)
	if err != nil {
		return err
	}
	for i := range pods {
		if own := ownStatus(&pods[i], d.Name); own != nil && own.State.Running != nil {
			s.Active++
		}
	}
	jobs, err := d.cluster.CronRuns(ctx, c)
	if err != nil {
		d.unread(err)
		return nil
	}
	for _, j := range jobs {
		if t := j.Status.CompletionTime; t != nil && (s.Success == nil || t.After(*s.Success)) {
			s.Success = &t.Time
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	s.LastRun = runOf(&jobs[0], pods, d.Name)
	if s.LastRun.Outcome == Waiting && s.LastRun.Message == "" {
		d.refusal(ctx, s.LastRun)
	}
	if s.LastRun.Message != "" {
		d.Reason = fmt.Sprintf("Job %s: %s", s.LastRun.Job, s.LastRun.Message)
	}
	return nil
}

// refusal sets the message of a run whose Job cannot create its Pod.
func (d *detail) refusal(ctx context.Context, r *Run) {
	warning, err := d.cluster.JobWarning(ctx, d.settings.Namespace, r.Job)
	if err != nil {
		d.unread(err)
		return
	}
	if warning != "" {
		r.Message = rollout.DescribeRefusal(d.settings.Namespace, warning)
	}
}

// runOf describes a Job, given the app's Pods.
func runOf(j *batchv1.Job, pods []corev1.Pod, app string) *Run {
	r := &Run{Job: j.Name, Started: j.CreationTimestamp.Time, Outcome: Waiting}
	i := slices.IndexFunc(pods, func(p corev1.Pod) bool { return p.Labels[batchv1.JobNameLabel] == j.Name })
	var own *corev1.ContainerStatus
	if i >= 0 {
		own = ownStatus(&pods[i], app)
	}
	for _, c := range j.Status.Conditions {
		if c.Status == corev1.ConditionTrue && c.Type == batchv1.JobComplete {
			r.Outcome = Succeeded
			return r
		}
		if c.Status == corev1.ConditionTrue && c.Type == batchv1.JobFailed {
			r.Outcome, r.Message = FailedRun, c.Reason+": "+c.Message
			if i >= 0 && rollout.Summarize(&pods[i]).Message != "" {
				r.Message = rollout.Summarize(&pods[i]).Message
			}
			return r
		}
	}
	switch {
	case own != nil && own.State.Running != nil:
		r.Outcome = RunningRun
	case own != nil && own.State.Terminated != nil:
		r.Outcome = RunningRun
		r.Message = fmt.Sprintf("container %s has ended with exit code %d, and the Pod waits for %s",
			app, own.State.Terminated.ExitCode, strings.Join(unended(&pods[i]), ", "))
	case i >= 0:
		if _, r.Message = rollout.BlockedReason(&pods[i], time.Now()); r.Message == "" {
			r.Message = rollout.Summarize(&pods[i]).Message
		}
	}
	return r
}

// ownStatus returns the status of the app's own container, or nil.
func ownStatus(p *corev1.Pod, app string) *corev1.ContainerStatus {
	i := slices.IndexFunc(p.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == app })
	if i < 0 {
		return nil
	}
	return &p.Status.ContainerStatuses[i]
}

// unended returns the names of a Pod's containers that have not ended, such as a sidecar that keeps a run from ending.
func unended(p *corev1.Pod) []string {
	var names []string
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if s.State.Terminated == nil {
			names = append(names, s.Name)
		}
	}
	return names
}
