package forge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
)

// CheckStep names the events that say what the cluster accepts. No step has this name.
const CheckStep = "check"

// trial asks the API server for its answer to one kind of the app's Pods.
type trial struct {
	what string // such as "the Pods of Deployment shop"
	pod  *corev1.Pod
	spec *infraspec.Spec // of the process whose Pods they are
	// refused is why the API server refuses what, or "". The trial then needs no Pod.
	refused string
	// assumed is the name of an image that need not exist yet, or "".
	assumed string
	full    onFullQuota
}

// onFullQuota is what it means that a quota has no room for one more Pod now.
type onFullQuota int

const (
	refuse onFullQuota = iota // nothing of the app is running, so its Pods do not start
	warn                      // it depends on what runs then
	ignore                    // the rollout first ends an old Pod
)

// admission collects the answers of the API server to an app's Pods.
type admission struct {
	cluster *k8s.Client
	to      pipeline.Reporter

	mu      sync.Mutex
	refused []RefusedObject
	full    []RefusedObject // by quotas
	said    []string
	errs    []error
}

// run makes trials concurrently. It returns a *RefusedError if the API server refuses one of the Pods, and a
// *QuotaError if a quota has no room for one.
func (a *admission) run(ctx context.Context, trials ...func(context.Context) (*trial, error)) error {
	ctx, passWarnings := k8s.HoldWarnings(ctx)
	var running sync.WaitGroup
	for _, prepare := range trials {
		running.Go(func() {
			if err := a.try(ctx, prepare); err != nil {
				a.mu.Lock()
				defer a.mu.Unlock()
				a.errs = append(a.errs, err)
			}
		})
	}
	running.Wait()
	if len(a.refused) > 0 {
		a.errs = append(a.errs, &RefusedError{grouped(a.refused)})
	}
	if len(a.full) > 0 {
		quota := &QuotaError{}
		for _, r := range grouped(a.full) {
			quota.Problems = append(quota.Problems, r.String())
		}
		a.errs = append(a.errs, quota)
	}
	if len(a.errs) == 0 {
		passWarnings()
	}
	return errors.Join(a.errs...)
}

// grouped returns refusals in a stable order, the Pods of the workload first. It names what is refused for the same
// reason together.
func grouped(refused []RefusedObject) []RefusedObject {
	slices.SortFunc(refused, func(x, y RefusedObject) int { return strings.Compare(y.What, x.What) })
	var out []RefusedObject
	for _, r := range refused {
		same := func(o RefusedObject) bool { return o.Message == r.Message }
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].What += " and " + r.What
		} else {
			out = append(out, r)
		}
	}
	return out
}

func (a *admission) try(ctx context.Context, prepare func(context.Context) (*trial, error)) error {
	t, err := prepare(ctx)
	if err != nil {
		return err
	}
	answer := k8s.Trial{Answer: k8s.Refused, Message: t.refused}
	if t.refused == "" {
		if answer, err = a.cluster.TryPod(ctx, t.pod); err != nil {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch answer.Answer {
	case k8s.Accepted:
	case k8s.Refused:
		a.judge(t, answer.Message)
	case k8s.NotAllowed:
		a.say(pipeline.Output, "cannot check whether the cluster accepts the Pods: "+answer.Message)
	case k8s.Unsupported:
		a.say(pipeline.Output, fmt.Sprintf("cannot check whether the cluster accepts %s: %s", t.what, answer.Message))
	case k8s.Unanswered:
		a.say(pipeline.Warned, fmt.Sprintf("cannot check whether the cluster accepts %s: %s", t.what, answer.Message))
	}
	return nil
}

// judge records a refusal, or warns about one that may be gone when the Pods are created.
func (a *admission) judge(t *trial, message string) {
	r := rollout.ParseRefusal(message)
	switch {
	case t.mayDependOnImage(r, message):
		a.say(pipeline.Warned, fmt.Sprintf("a policy may refuse %s; it names the image, which might not exist yet: %s",
			t.what, message))
	case r.Quota && !r.Never && t.full == warn:
		a.say(pipeline.Warned, fmt.Sprintf("there is no room now for one more of %s: %s", t.what, message))
	case r.Quota && !r.Never && t.full == ignore:
	case r.Quota:
		a.full = append(a.full, RefusedObject{What: t.what, Message: message})
	default:
		a.refused = append(a.refused, RefusedObject{t.what, message, r.Hint(t.spec.Place)})
	}
}

// mayDependOnImage reports whether a refusal may be gone once the image exists: a webhook may have looked for its
// signature in the registry, and a policy may compare its digest, which the trial has made up. It does not depend on
// the image if it says what else the Pod must set.
func (t *trial) mayDependOnImage(r rollout.Refusal, message string) bool {
	if t.assumed == "" || len(r.Violations) > 0 {
		return false
	}
	return r.Image || r.Webhook && strings.Contains(message, t.assumed) ||
		r.Policy && strings.Contains(message, t.assumed+anyDigest)
}

// say reports a text once; the caller holds mu.
func (a *admission) say(kind pipeline.Kind, text string) {
	if !slices.Contains(a.said, text) {
		a.said = append(a.said, text)
		a.to.Report(pipeline.Event{Kind: kind, Step: CheckStep, Line: text})
	}
}
