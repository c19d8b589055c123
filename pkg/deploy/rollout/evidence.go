package rollout

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	k8srollout "norn/pkg/k8s/rollout"
)

// The limits of the evidence that norn shows. The saved file has more.
const (
	shownLines  = 20
	shownEvents = 2
)

// Failure is the evidence of a failed rollout, for people and as JSON.
type Failure struct {
	App       string            `json:"app"`
	Process   string            `json:"process,omitempty"` // if the app has several
	Namespace string            `json:"namespace"`
	Revision  string            `json:"revision,omitempty"`
	Image     string            `json:"image,omitempty"`
	Reason    k8srollout.Reason `json:"reason" redact:"-"`
	Message   string            `json:"message"`
	Hint      string            `json:"hint,omitempty"`
	Pod       string            `json:"pod,omitempty"`
	Container string            `json:"container,omitempty"`
	Ready     int               `json:"ready"` // number of new pods that were available
	Want      int               `json:"want"`
	Events    []string          `json:"events,omitempty"` // warnings about the pod, oldest first
	Log       []string          `json:"log,omitempty"`    // the failing container's last lines
	Previous  []string          `json:"previousLog,omitempty"`
	Unread    []string          `json:"unread,omitempty"`      // what could not be read, and why
	Restored  string            `json:"restored,omitempty"`    // the revision that runs again
	Kept      string            `json:"notRestored,omitempty"` // why nothing was restored

	held *objects.HeldError // that the failed version stays as a canary, or nil
}

// WithoutLogs returns the evidence without its logs, for machine-readable output that has them elsewhere.
func (f Failure) WithoutLogs() any {
	f.Log, f.Previous = nil, nil
	return f
}

// evidenceTimeout bounds how long norn gathers evidence, because the app may be down until the restore.
const evidenceTimeout = 10 * time.Second

// investigate gathers the evidence of a failure before a restore deletes the pod. The verdict stands without it, so
// investigate skips what it cannot read in time.
func (r *runner) investigate(ctx context.Context, v k8srollout.Verdict) Failure {
	f := Failure{App: r.App, Process: r.label, Namespace: r.Namespace}
	if v.Pod != "" {
		r.read(ctx, v, &f)
	}
	log := slices.Concat(f.Previous, f.Log)
	v = v.Refine(log)
	f.Reason, f.Message, f.Pod, f.Container = v.Reason, v.Message, v.Pod, v.Container
	f.Ready, f.Want = v.Ready, v.Want
	f.Hint = hint(v, clues{r.Spec, r.ports, log})
	if len(r.Omitted) > 0 {
		f.Hint = strings.TrimSuffix(fmt.Sprintf("deploy without --version-only, which left out %s; %s",
			strings.Join(r.Omitted, ", "), f.Hint), "; ")
	}
	return f
}

// read reads the logs and events of the verdict's Pod at the same time, so that one slow answer costs no other.
func (r *runner) read(ctx context.Context, v k8srollout.Verdict, f *Failure) {
	ctx, cancel := context.WithTimeoutCause(ctx, evidenceTimeout, fmt.Errorf("no answer within %s", evidenceTimeout))
	defer cancel()
	var (
		calls                         sync.WaitGroup
		logErr, previousErr, eventErr error
	)
	if logErr = r.hideReferenced(ctx); logErr == nil { // without the values to hide, no line can be shown
		calls.Go(func() { f.Log, logErr = timely(ctx, func() ([]string, error) { return r.tail(ctx, v, false) }) })
		calls.Go(func() {
			f.Previous, previousErr = timely(ctx, func() ([]string, error) { return r.tail(ctx, v, true) })
		})
	}
	calls.Go(func() { f.Events, eventErr = timely(ctx, func() ([]string, error) { return r.warnings(ctx, v.Pod) }) })
	calls.Wait()
	if slices.Equal(f.Log, f.Previous) { // while a container waits to restart, both are the last run's log
		f.Previous = nil
	}
	unread := func(what string, err error) {
		if err != nil {
			f.Unread = append(f.Unread, what+": "+err.Error())
		}
	}
	unread("log", logErr)
	unread("previous run's log", previousErr)
	unread("events", eventErr)
}

// timely calls read. If ctx has ended meanwhile, the error is why.
func timely(ctx context.Context, read func() ([]string, error)) ([]string, error) {
	lines, err := read()
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return lines, err
}

func (r *runner) warnings(ctx context.Context, pod string) ([]string, error) {
	events, err := r.cluster.PodEvents(ctx, r.Namespace, pod)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range events {
		// BackOff and "Error: " events repeat the state and name no cause.
		if e.Type == corev1.EventTypeWarning && e.Reason != "BackOff" && !strings.HasPrefix(e.Message, "Error: ") {
			text := fmt.Sprintf("%s: %s", e.Reason, strings.Join(strings.Fields(e.Message), " "))
			out = append(slices.DeleteFunc(out, func(s string) bool { return s == text }), text)
		}
	}
	return out, nil
}

// show prints a failure: the verdict in at most four lines, then the container's last log lines. The returned error
// carries the hint.
func (f Failure) show(out io.Writer) {
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintln(out, oneLine.Replace(fmt.Sprintf(format, args...)))
	}
	what := ""
	if f.Process != "" {
		what = fmt.Sprintf("process %s ", f.Process)
	}
	say("%sfailed (%s): %s", what, f.Reason, f.Message)
	switch {
	case f.Pod != "" && f.Revision == "": // no ReplicaSet's
		say("Pod %s, image %s", f.Pod, f.Image)
	case f.Pod != "":
		say("Pod %s, revision %s, image %s", f.Pod, f.Revision, f.Image)
	}
	for _, e := range last(f.Events, shownEvents) {
		say("event %s", e)
	}
	if len(f.Previous) > 0 && len(f.Log) < shownLines {
		say("the previous run's log:")
		f.printLog(out, last(f.Previous, shownLines-len(f.Log)))
		say("the last run's log:")
	}
	f.printLog(out, last(f.Log, shownLines))
	for _, what := range f.Unread {
		say("not read: %s", what)
	}
}

func (f Failure) printLog(out io.Writer, lines []string) {
	for _, line := range lines {
		_, _ = fmt.Fprintln(out, "log | "+oneLine.Replace(line))
	}
}

// oneLine removes line breaks from text of the cluster and of containers. Package ui removes what precedes a carriage
// return, including norn's prefix.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

func last(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }
