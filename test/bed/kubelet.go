package bed

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// brokenImage is a part of the name of images whose containers do not start; see PretendToRun.
const brokenImage = "broken"

// jobTime is how long the Pod of a Job runs; see PretendToRun.
const jobTime = 2 * time.Second

// PretendToRun makes the namespace's Pods ready, as a kubelet would. A Pod whose image name contains "broken" does not
// start, and the Pod of a Job soon succeeds. It is for control planes, which have no node, and ends with the test.
func (w *Workspace) PretendToRun() {
	w.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	k := &kubelet{w.Cluster, "/api/v1/namespaces/" + w.Namespace + "/pods"}
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_ = k.watch(ctx) // what fails now succeeds the next time
			time.Sleep(50 * time.Millisecond)
		}
	}()
	w.T.Cleanup(func() { cancel(); <-ended })
}

// kubelet writes the status of Pods that do not run.
type kubelet struct {
	*Cluster
	pods string // their path
}

// watch handles the Pods that exist, and then each change, until the API server ends the watch.
func (k *kubelet) watch(ctx context.Context) error {
	resp, err := k.send(ctx, http.MethodGet, k.pods+"?watch=1", nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	for events := json.NewDecoder(resp.Body); ; {
		var e struct{ Object corev1.Pod }
		if err := events.Decode(&e); err != nil {
			return err
		}
		if err := k.handle(ctx, &e.Object); err != nil {
			return err
		}
	}
}

// handle starts a Pod, and lets the Pod of a Job end in time.
func (k *kubelet) handle(ctx context.Context, p *corev1.Pod) error {
	_, isJob := p.Labels[batchv1.JobNameLabel]
	switch {
	case p.DeletionTimestamp != nil:
	case p.Status.ContainerStatuses == nil:
		return k.patch(ctx, p)
	case isJob && p.Status.Phase == corev1.PodRunning && !waitsForInput(p):
		time.AfterFunc(time.Until(p.CreationTimestamp.Add(jobTime)), func() { _ = k.patch(ctx, p) }) // it may be gone
	}
	return nil
}

func (k *kubelet) patch(ctx context.Context, p *corev1.Pod) error {
	resp, err := k.send(ctx, http.MethodPatch, k.pods+"/"+p.Name+"/status", map[string]any{"status": status(p)})
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// isOver reports whether the Pod of a Job has run long enough. A Pod that waits for its input never has.
func isOver(p *corev1.Pod) bool {
	_, isJob := p.Labels[batchv1.JobNameLabel]
	return isJob && !waitsForInput(p) && p.Status.Phase == corev1.PodRunning &&
		time.Since(p.CreationTimestamp.Time) >= jobTime
}

func waitsForInput(p *corev1.Pod) bool { return p.Spec.Containers[0].Stdin }

// isBroken reports whether a Pod of an image cannot start. Of an image such as broken-only-worker, only the Pods of
// that process cannot.
func isBroken(p *corev1.Pod, image string) bool {
	name, _, _ := strings.Cut(image, "@")
	_, process, only := strings.Cut(name, brokenImage+"-only-")
	return strings.Contains(name, brokenImage) && (!only || p.Labels["norn/process"] == process)
}

// status returns the status of a Pod that the kubelet has started, could not start, or that is over.
func status(p *corev1.Pod) corev1.PodStatus {
	s := corev1.PodStatus{Phase: corev1.PodRunning}
	ready := corev1.ConditionTrue
	for _, c := range p.Spec.Containers {
		container := corev1.ContainerStatus{Name: c.Name, Image: c.Image, Ready: true}
		container.State.Running = &corev1.ContainerStateRunning{}
		if isOver(p) {
			s.Phase, container.Ready, ready = corev1.PodSucceeded, false, corev1.ConditionFalse
			container.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}
		}
		if isBroken(p, c.Image) {
			container.Ready, ready, s.Phase = false, corev1.ConditionFalse, corev1.PodPending
			container.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
				Reason: "CreateContainerError", Message: "the image is broken",
			}}
		}
		s.ContainerStatuses = append(s.ContainerStatuses, container)
	}
	for _, t := range []corev1.PodConditionType{corev1.ContainersReady, corev1.PodReady} {
		s.Conditions = append(s.Conditions, corev1.PodCondition{Type: t, Status: ready})
	}
	return s
}
