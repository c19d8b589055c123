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
	Zone    string     `json:"timezone,omitempty"`
	Last    *time.Time `json:"last,omitempty"` // when the schedule last started a run
	Success *time.Time `json:"lastSuccess,omitempty"`
	Active  int        `json:"active"`            // number of Pods whose container runs
	LastRun *Run       `json:"lastRun,omitempty"` // newest Job, started by the schedule or by hand
}

// Run is one run of a cron app.
type Run struct {
	Job     string    `json:"job"`
	Started time.Time `json:"started"`
	Outcome Outcome   `json:"outcome" redact:"-"`
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
	if c.Spec.TimeZone != nil {
		s.Zone = *c.Spec.TimeZone
	}
	d.Schedule = s
	pods, err := d.cluster.GetPods(ctx, d.settings.Namespace, d.object())
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
	for i := range jobs {
		r := s.LastRun
		if i > 0 { // an earlier run matters only while another container keeps it running
			r = runOf(&jobs[i], pods, d.Name)
		}
		if r.Message != "" && (i == 0 || r.Outcome == RunningRun) {
			d.Reason = strings.TrimPrefix(fmt.Sprintf("%s\nJob %s: %s", d.Reason, r.Job, r.Message), "\n")
		}
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
		r.Message = rollout.DescribeRefusal(warning, d.local.Spec.Place)
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
			if own != nil && own.State.Terminated != nil {
				r.Message = whyFailed(own, r.Message)
			}
			return r
		}
	}
	switch {
	case own != nil && own.State.Running != nil:
		r.Outcome = RunningRun
	case own != nil && own.State.Terminated != nil:
		r.Outcome = RunningRun
		r.Message = keptAlive(j, own, unended(&pods[i], app))
	case i >= 0:
		if _, r.Message = rollout.BlockedReason(&pods[i], time.Now()); r.Message == "" {
			r.Message = rollout.Summarize(&pods[i]).Message
		}
	}
	return r
}

// whyFailed returns why a run failed whose own container has ended, given what the Pod says. Another container may have
// failed after the app's, or instead of it.
func whyFailed(own *corev1.ContainerStatus, message string) string {
	code := own.State.Terminated.ExitCode
	text := fmt.Sprintf("container %s ended with exit code %d", own.Name, code)
	if code != 0 || message == "" || strings.HasPrefix(message, text) {
		return text
	}
	return message + "; " + text
}

// keptAlive describes a run whose own container has ended, while other containers keep its Pod, and so its Job, from
// ending. It returns "" if nothing does.
func keptAlive(j *batchv1.Job, own *corev1.ContainerStatus, others []string) string {
	if len(others) == 0 {
		return ""
	}
	who := fmt.Sprintf("container %s, which is not the app's own, keeps", others[0])
	if len(others) > 1 {
		who = fmt.Sprintf("containers %s, which are not the app's own, keep", strings.Join(others, " and "))
	}
	text := fmt.Sprintf("container %s has ended with exit code %d, but %s the Pod running",
		own.Name, own.State.Terminated.ExitCode, who)
	if j.Annotations[manualAnnotation] == "" { // runs do not overlap
		text += ", so no further run starts"
	}
	return text + fmt.Sprintf("\nkubectl -n %s delete job %s ends this run; for the next runs, inject it as a native "+
		"sidecar (an init container with restartPolicy: Always), or exclude the app from the injection",
		j.Namespace, j.Name)
}

// manualAnnotation marks a Job that kubectl create job has created from a CronJob. The CronJob's controller does not
// wait for it.
const manualAnnotation = "cronjob.kubernetes.io/instantiate"

// ownStatus returns the status of the app's own container, or nil.
func ownStatus(p *corev1.Pod, app string) *corev1.ContainerStatus {
	i := slices.IndexFunc(p.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == app })
	if i < 0 {
		return nil
	}
	return &p.Status.ContainerStatuses[i]
}

// unended returns the names of the other containers that have not ended, and that Kubernetes does not end: all but
// native sidecars.
func unended(p *corev1.Pod, app string) []string {
	var names []string
	for _, s := range p.Status.ContainerStatuses {
		if s.State.Terminated == nil && s.Name != app {
			names = append(names, s.Name)
		}
	}
	return names
}
