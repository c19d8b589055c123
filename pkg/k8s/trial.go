package k8s

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
)

// Trial is the API server's answer to a Pod that it does not store.
type Trial struct {
	Answer  Answer
	Message string // why, in the server's words; "" if it accepts the Pod
}

// Answer is the kind of a Trial's answer.
type Answer int

// The answers to a Pod.
const (
	Accepted    Answer = iota
	Refused            // by an admission plugin, a policy or a webhook
	NotAllowed         // the user is not allowed to create Pods
	Unsupported        // a webhook does not support dry runs
	Unanswered         // a webhook does not answer, for example
)

// TryPod asks the API server whether it would accept a Pod. Admission plugins, policies and webhooks see the Pod, and
// nothing is stored (kubernetes.io: Dry-run). It requires the permission to create Pods. It waits for the default
// ServiceAccount of a new namespace.
func (c *Client) TryPod(ctx context.Context, pod *corev1.Pod) (Trial, error) {
	var answer Trial
	err := wait.PollUntilContextTimeout(ctx, accountEvery, accountWait, true, func(ctx context.Context) (bool, error) {
		var err error
		answer, err = c.tryPodOnce(ctx, pod)
		return !noDefaultAccount.MatchString(answer.Message), err
	})
	if answer.Answer == Refused && ctx.Err() == nil {
		return answer, nil // without the ServiceAccount too
	}
	return answer, err
}

// How long norn waits for the default ServiceAccount, which a controller creates in each new namespace, and how often
// it looks.
const (
	accountWait  = 30 * time.Second
	accountEvery = 500 * time.Millisecond
)

func (c *Client) tryPodOnce(ctx context.Context, pod *corev1.Pod) (Trial, error) {
	_, err := c.core.Pods(pod.Namespace).Create(ctx, pod, c.DryRun().createOptions())
	if err == nil {
		return Trial{}, nil
	}
	if message, ok := Refusal(err); ok || apierrors.IsInvalid(err) { // a webhook may have made it invalid
		return Trial{Refused, message}, nil
	}
	explained := Explain(err, "try a Pod")
	if denied, ok := errors.AsType[*DeniedError](explained); ok {
		return Trial{NotAllowed, denied.Error()}, nil
	}
	status, ok := errors.AsType[*apierrors.StatusError](err)
	switch {
	case !ok || ctx.Err() != nil:
		return Trial{}, explained
	case noDryRun.MatchString(status.ErrStatus.Message):
		return Trial{Unsupported, oneLine(status.ErrStatus.Message)}, nil
	case status.ErrStatus.Code >= http.StatusInternalServerError:
		return Trial{Unanswered, oneLine(status.ErrStatus.Message)}, nil
	}
	return Trial{}, explained
}

// Patterns for the API server's messages about admission. Sources, in k8s.io/apiserver/pkg/admission: errors.go,
// plugin/webhook/errors, plugin/policy/validating; in k8s.io/kubernetes: plugin/pkg/admission/serviceaccount.
var (
	noDefaultAccount = regexp.MustCompile(`^error looking up service account \S+/default: .* not found`)

	noDryRun      = regexp.MustCompile(`admission webhook ".*" does not support dry run`)
	deniedRequest = regexp.MustCompile(`admission webhook ".*" denied the request|` +
		`ValidatingAdmissionPolicy '.*' with binding '.*' denied request`)
	refusedObject = regexp.MustCompile(`^\S+ "[^"]*" is (?:forbidden|invalid): `)
)

// Refusal returns why the API server refuses an object, without the object's name. It returns false for other errors,
// such as a denied permission. Webhooks and policies choose the status code themselves.
func Refusal(err error) (string, bool) {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok {
		return "", false
	}
	message := status.ErrStatus.Message
	_, terminating := apierrors.StatusCause(err, corev1.NamespaceTerminatingCause)
	isRefusal := deniedRequest.MatchString(message) ||
		apierrors.IsForbidden(err) && !denied.MatchString(message) && !terminating
	return oneLine(refusedObject.ReplaceAllString(message, "")), isRefusal
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
