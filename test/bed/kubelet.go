package bed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// brokenImage is a part of the name of images whose containers do not start; see PretendToRun.
const brokenImage = "broken"

// PretendToRun makes the namespace's Pods ready, as a kubelet would. A Pod whose image name contains "broken" does not
// start. It is for control planes, which have no node, and ends with the test.
func (w *Workspace) PretendToRun() {
	w.T.Helper()
	target, transport, err := API(w.Kubeconfig)
	if err != nil {
		w.T.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	pods := fmt.Sprintf("%s/api/v1/namespaces/%s/pods", target, w.Namespace)
	k := &kubelet{&http.Client{Transport: transport, Timeout: 10 * time.Second}, pods}
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			k.sync(ctx) // what fails now succeeds the next time
			time.Sleep(50 * time.Millisecond)
		}
	}()
	w.T.Cleanup(func() { cancel(); <-ended; transport.CloseIdleConnections() })
}

// kubelet writes the status of Pods that do not run.
type kubelet struct {
	client *http.Client
	pods   string // their address
}

func (k *kubelet) sync(ctx context.Context) {
	var list corev1.PodList
	if err := k.do(ctx, http.MethodGet, k.pods, nil, &list); err != nil {
		return
	}
	for i := range list.Items {
		if p := &list.Items[i]; p.Status.ContainerStatuses == nil && p.DeletionTimestamp == nil {
			_ = k.do(ctx, http.MethodPatch, k.pods+"/"+p.Name+"/status", map[string]any{"status": status(p)}, nil)
		}
	}
}

// status returns the status of a Pod that the kubelet has started, or could not start.
func status(p *corev1.Pod) corev1.PodStatus {
	s := corev1.PodStatus{Phase: corev1.PodRunning}
	ready := corev1.ConditionTrue
	for _, c := range p.Spec.Containers {
		container := corev1.ContainerStatus{Name: c.Name, Image: c.Image, Ready: true}
		container.State.Running = &corev1.ContainerStateRunning{}
		if strings.Contains(c.Image, brokenImage) {
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

// do makes a request and decodes the answer into a value, unless that is nil.
func (k *kubelet) do(ctx context.Context, method, url string, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/strategic-merge-patch+json")
	resp, err := k.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, url, resp.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
