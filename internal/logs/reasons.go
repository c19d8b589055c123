package logs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s/rollout"
)

// NotFoundError says that there is no such app in the cluster.
type NotFoundError struct{ Namespace, App string }

// Error names app and namespace.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("there is no Deployment %s in namespace %s, no CronJob, and no pod of it", e.App, e.Namespace)
}

// Hint is what to do about it.
func (e *NotFoundError) Hint() string {
	return "check the name and --namespace, or make it with norn forge; a function's log is shown by norn invoke"
}

// ChoiceError says that nothing there is what was asked for.
type ChoiceError struct{ What, There string }

// Error names what was asked for.
func (e *ChoiceError) Error() string { return "there is no " + e.What }

// Hint is what there is.
func (e *ChoiceError) Hint() string { return e.There }

// notes are things to be said once.
type notes struct {
	mu   sync.Mutex
	said map[string]bool
}

func (n *notes) once(say func(string), text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if text == "" || n.said[text] {
		return
	}
	if n.said == nil || len(n.said) > 1000 {
		n.said = map[string]bool{}
	}
	n.said[text] = true
	say(text)
}

// explain says why there is nothing to read, of the app or of some of its pods. At the first look, an app that is not there is an error.
func (s *session) explain(ctx context.Context, seen rollout.Observation) error {
	pods := s.wantedPods(seen, revisionsOf(seen))
	if len(pods) == 0 {
		why, err := s.noPods(ctx, seen)
		if err != nil {
			return err
		}
		s.notes.once(s.sink.Notice, why)
		return nil
	}
	s.looked = true
	if err := s.noContainers(pods); err != nil {
		return err
	}
	for _, p := range pods {
		s.notes.once(s.sink.Notice, s.notReadable(p))
	}
	return nil
}

// noPods says why there is no pod. What was there once is waited for.
func (s *session) noPods(ctx context.Context, seen rollout.Observation) (string, error) {
	first := !s.looked
	s.looked = true
	if d := seen.Deployment; d != nil {
		if len(seen.Pods) > 0 {
			if s.Follow {
				return "no pod is of those asked for yet", nil
			}
			return "", &ChoiceError{s.asked(), "there are: " + names(seen.Pods)}
		}
		return noPodsOf(s.App, d), nil
	}
	job, err := s.cluster.GetCronJob(ctx, s.Namespace, s.App)
	switch {
	case err == nil && job.Spec.Suspend != nil && *job.Spec.Suspend:
		return s.App + " has not been deployed yet, or is suspended: nothing runs", nil
	case err == nil:
		return fmt.Sprintf("no run of %s is there; it runs at %s", s.App, job.Spec.Schedule), nil
	case first:
		return "", &NotFoundError{s.Namespace, s.App}
	default:
		return fmt.Sprintf("%s is gone", s.App), nil
	}
}

func noPodsOf(app string, d *appsv1.Deployment) string {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			return fmt.Sprintf("%s has no pods: %s", app, c.Message)
		}
	}
	switch {
	case d.Spec.Paused && d.Status.ObservedGeneration > 0 && d.Status.Replicas == 0:
		return app + " has not been deployed yet"
	case d.Spec.Replicas != nil && *d.Spec.Replicas == 0:
		return app + " is scaled to 0 pods"
	default:
		return app + " has no pods yet"
	}
}

// noContainers refuses a container's name that no pod has.
func (s *session) noContainers(pods []*corev1.Pod) error {
	var there []string
	for _, p := range pods {
		for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
			there = append(there, c.Name)
		}
		for _, c := range p.Spec.EphemeralContainers {
			there = append(there, c.Name)
		}
	}
	slices.Sort(there)
	there = slices.Compact(there)
	for _, want := range s.Containers.Containers {
		if !slices.Contains(there, want) {
			return &ChoiceError{"container " + want, "there are: " + strings.Join(there, ", ")}
		}
	}
	return nil
}

// asked says which pods are asked for.
func (s *session) asked() string {
	what := "pod"
	if len(s.Pods) > 0 {
		what += " " + strings.Join(s.Pods, " or ")
	}
	if s.Revision != "" {
		what += " of revision " + s.Revision
	}
	return what
}

func names(pods []*corev1.Pod) string {
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

// notReadable says why a pod has nothing to read, or no more. Who follows need not be told that a pod is just starting.
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
	case pending && !s.Follow:
		return p.Name + " has not started yet"
	default:
		return ""
	}
}
