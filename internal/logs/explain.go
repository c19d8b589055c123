package logs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s/rollout"
)

// NotFoundError reports that the app does not exist in the cluster.
type NotFoundError struct{ Namespace, App string }

// Error names the app and the namespace.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("no Deployment, CronJob or Pod of app %s in namespace %s", e.App, e.Namespace)
}

// Hint returns the next step.
func (e *NotFoundError) Hint() string {
	return "check the name and --namespace, or create the app with norn deploy; norn invoke shows the log of a function"
}

// ChoiceError reports that no Pod or container matches the filter.
type ChoiceError struct {
	What      string // what was selected
	Available string // what can be selected
}

// Error returns what was selected.
func (e *ChoiceError) Error() string { return "no " + e.What }

// Hint returns what can be selected.
func (e *ChoiceError) Hint() string { return e.Available }

// notices records notices, so that the user gets each only once.
type notices struct {
	mu    sync.Mutex
	given map[string]bool
}

// once calls notice with text, unless text is empty or the user already got it.
func (n *notices) once(notice func(string), text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if text == "" || n.given[text] {
		return
	}
	if n.given == nil || len(n.given) > 1000 {
		n.given = map[string]bool{}
	}
	n.given[text] = true
	notice(text)
}

// explain calls notice with the reason why the app, or some of its Pods, have no readable logs. It returns an error if
// the app does not exist and was never observed.
func (s *session) explain(ctx context.Context, seen []workload) error {
	var all []*corev1.Pod
	for _, w := range seen {
		all = append(all, s.wantedPods(w, revisionsOf(w))...)
	}
	filters := len(s.opts.Containers.Pods) > 0 || s.opts.Containers.Revision != ""
	first := !s.observed
	s.observed = true
	for _, w := range seen {
		if pods := s.wantedPods(w, revisionsOf(w)); len(pods) > 0 {
			s.explainPods(ctx, w, pods, first)
			continue
		}
		if filters && len(all) > 0 { // those of another workload are meant
			continue
		}
		why, err := s.noPods(ctx, w, podsIn(seen), first)
		if err != nil {
			return err
		}
		s.notices.once(s.sink.Notice, why)
	}
	if len(all) == 0 {
		return nil
	}
	return s.checkContainerNames(all)
}

// explainPods calls notice with the reasons why Pods of a workload have no readable logs.
func (s *session) explainPods(ctx context.Context, seen workload, pods []*corev1.Pod, first bool) {
	if first && slices.ContainsFunc(pods, isOfJob) {
		s.notices.once(s.sink.Notice, s.refusedRun(ctx, seen.name, pods))
	}
	for _, p := range pods {
		if seen.OnDeadNode(p) {
			text := fmt.Sprintf("the log of %s cannot be read: node %s is not ready", p.Name, p.Spec.NodeName)
			s.notices.once(s.sink.Notice, text)
			continue
		}
		s.notices.once(s.sink.Notice, s.notReadable(p))
	}
}

// noPods returns why no Pod of a workload can be read; all are the Pods of all workloads. A workload that was observed
// earlier may be created again.
func (s *session) noPods(ctx context.Context, seen workload, all []*corev1.Pod, first bool) (string, error) {
	if d := seen.Deployment; d != nil {
		if len(seen.Pods) > 0 {
			if s.opts.Follow {
				return "no Pod matches yet", nil
			}
			return "", &ChoiceError{s.selectedPods(), "available: " + podNames(all)}
		}
		return noPodsOf(seen.name, d), nil
	}
	job, err := s.cluster.GetCronJob(ctx, s.opts.Namespace, seen.name)
	switch {
	case err == nil && job.Spec.Suspend != nil && *job.Spec.Suspend:
		return seen.name + " has not been deployed yet, or is suspended", nil
	case err == nil:
		return s.noRunPods(ctx, job), nil
	case first:
		return "", &NotFoundError{s.opts.Namespace, seen.name}
	default:
		return fmt.Sprintf("%s no longer exists", seen.name), nil
	}
}

// noRunPods returns why the newest run of a cron app has no Pod, or that there is no run.
func (s *session) noRunPods(ctx context.Context, cron *batchv1.CronJob) string {
	none := fmt.Sprintf("no run of %s exists; its schedule is %q", cron.Name, cron.Spec.Schedule)
	runs, err := s.cluster.CronRuns(ctx, cron)
	if err != nil || len(runs) == 0 { // such as a denied permission to list Jobs
		return none
	}
	newest := runs[0].Name
	warning, err := s.cluster.JobWarning(ctx, s.opts.Namespace, newest)
	if err != nil || warning == "" {
		return fmt.Sprintf("the last run of %s, Job %s, has no Pod", cron.Name, newest)
	}
	return fmt.Sprintf("Job %s: %s", newest, rollout.DescribeRefusal(warning, nil))
}

// refusedRun returns why the newest run of a cron app has no Pod, if earlier runs have some. Otherwise it returns "".
func (s *session) refusedRun(ctx context.Context, name string, pods []*corev1.Pod) string {
	job, err := s.cluster.GetCronJob(ctx, s.opts.Namespace, name)
	if err != nil {
		return ""
	}
	runs, err := s.cluster.CronRuns(ctx, job)
	if err != nil || len(runs) == 0 || len(runs[0].Status.Conditions) > 0 {
		return ""
	}
	if slices.ContainsFunc(pods, func(p *corev1.Pod) bool { return p.Labels[batchv1.JobNameLabel] == runs[0].Name }) {
		return ""
	}
	warning, err := s.cluster.JobWarning(ctx, s.opts.Namespace, runs[0].Name)
	if err != nil || warning == "" {
		return ""
	}
	return fmt.Sprintf("Job %s: %s", runs[0].Name, rollout.DescribeRefusal(warning, nil))
}

func isOfJob(p *corev1.Pod) bool { return p.Labels[batchv1.JobNameLabel] != "" }

// noPodsOf returns why a Deployment has no pods.
func noPodsOf(app string, d *appsv1.Deployment) string {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			return fmt.Sprintf("%s has no Pods: %s", app, c.Message)
		}
	}
	switch {
	case d.Spec.Paused && d.Status.ObservedGeneration > 0 && d.Status.Replicas == 0:
		return app + " has not been deployed yet"
	case d.Spec.Replicas != nil && *d.Spec.Replicas == 0:
		return app + " is scaled to 0 Pods"
	default:
		return app + " has no Pods yet"
	}
}

// checkContainerNames returns an error if no Pod has a container with one of the selected names.
func (s *session) checkContainerNames(pods []*corev1.Pod) error {
	var available []string
	for _, p := range pods {
		available = append(available, containerNames(p)...)
	}
	slices.Sort(available)
	available = slices.Compact(available)
	for _, want := range s.opts.Containers.Names {
		if !slices.Contains(available, want) {
			return &ChoiceError{"container " + want, "available: " + strings.Join(available, ", ")}
		}
	}
	return nil
}

// selectedPods returns a description of the selected Pods.
func (s *session) selectedPods() string {
	what := "Pod"
	if len(s.opts.Containers.Pods) > 0 {
		what += " " + strings.Join(s.opts.Containers.Pods, " or ")
	}
	if s.opts.Containers.Revision != "" {
		what += " of revision " + s.opts.Containers.Revision
	}
	return what
}

// podNames returns the names of the first few Pods.
func podNames(pods []*corev1.Pod) string {
	const shown = 5
	text := ""
	for i, p := range pods {
		if i == shown {
			return fmt.Sprintf("%s and %d more", text, len(pods)-shown)
		}
		if i > 0 {
			text += ", "
		}
		text += p.Name
	}
	return text
}

// notReadable returns why a Pod has no logs or no more logs, or "". With Follow, a starting Pod needs no notice.
func (s *session) notReadable(p *corev1.Pod) string {
	if reason, message := rollout.BlockedReason(p, time.Now()); reason != "" {
		return fmt.Sprintf("%s: %s", p.Name, message)
	}
	sum := rollout.Summarize(p)
	switch pending := p.Status.Phase == corev1.PodPending; {
	case p.DeletionTimestamp != nil:
		return ""
	case pending && sum.Message != "":
		return fmt.Sprintf("%s has not started: %s: %s", p.Name, sum.State, sum.Message)
	case sum.Message != "":
		return fmt.Sprintf("%s: %s: %s", p.Name, sum.State, sum.Message)
	case pending && !s.opts.Follow:
		return p.Name + " has not started yet"
	default:
		return ""
	}
}
