package deploy

import (
	"bufio"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
)

const (
	evidenceLines  = 20
	evidenceEvents = 5
)

// evidence shows the failing pod's last log lines and its events before a restore deletes the pod. What
// cannot be read is left out: the verdict stands without it.
func (r *rollout) evidence(ctx context.Context, v k8s.Verdict) {
	if v.Pod == "" {
		return
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format+"\n", args...) }
	say("pod %s: %s", v.Pod, v.Message)
	if !r.tail(ctx, v, true) {
		r.tail(ctx, v, false)
	}
	events, err := r.cluster.PodEvents(ctx, r.Namespace, v.Pod)
	if err != nil {
		return
	}
	events = slices.DeleteFunc(events, func(e corev1.Event) bool { return e.Type == corev1.EventTypeNormal })
	for _, e := range events[max(0, len(events)-evidenceEvents):] {
		say("event %s: %s", e.Reason, e.Message)
	}
}

// tail shows the end of a container's log and reports whether there was any.
func (r *rollout) tail(ctx context.Context, v k8s.Verdict, previous bool) bool {
	lines := int64(evidenceLines)
	stream, err := r.cluster.StreamLogs(ctx, r.Namespace, v.Pod, &corev1.PodLogOptions{Container: v.Container, Previous: previous, TailLines: &lines})
	if err != nil {
		return false
	}
	defer func() { _ = stream.Close() }()
	scanner, any := bufio.NewScanner(stream), false
	for scanner.Scan() {
		any = true
		_, _ = fmt.Fprintf(r.out, "log | %s\n", scanner.Text())
	}
	return any
}
