package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"time"
)

// heartbeat is the interval at which a hollow node reports Ready, like a kubelet (nodeLeaseDurationSeconds / 4).
const heartbeat = 10 * time.Second

// HollowName returns the name of a hollow node. The index counts from 0.
func HollowName(index int) string { return fmt.Sprintf("hollow-%d", index+1) }

// startHollowNodes keeps a Node Ready for each hollow node. A hollow node runs nothing: its pods stay Pending, and
// disappear as soon as they are deleted.
func (c *cluster) startHollowNodes(ctx context.Context) {
	for i, architecture := range c.settings.Hollow {
		name := HollowName(i)
		go func() {
			for ; ; time.Sleep(heartbeat) {
				if err := c.beat(ctx, name, architecture); err != nil {
					log.Printf("hollow node %s: %v", name, err)
				}
			}
		}()
		go func() {
			for ; ; time.Sleep(time.Second) {
				if err := c.removeDeletedPods(ctx, name); err != nil {
					log.Printf("hollow node %s: %v", name, err)
				}
			}
		}()
	}
}

// beat registers the node if it does not exist, and renews its conditions and its Lease.
func (c *cluster) beat(ctx context.Context, name, architecture string) error {
	labels := map[string]string{
		"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": architecture,
	}
	type taint struct {
		Key    string `json:"key"`
		Value  string `json:"value,omitempty"`
		Effect string `json:"effect"`
	}
	taints := []taint{}
	for _, text := range c.settings.Taints[name] {
		key, value, effect := cutTaint(text)
		taints = append(taints, taint{key, value, effect})
	}
	if err := c.post(ctx, "/api/v1/nodes", map[string]any{
		"metadata": map[string]any{"name": name, "labels": labels}, "spec": map[string]any{"taints": taints},
	}); err != nil {
		return err
	}
	now := time.Now().UTC()
	amounts := map[string]string{"cpu": "2", "memory": "8Gi", "pods": "110", "ephemeral-storage": "10Gi"}
	condition := func(kind, status string) map[string]any {
		return map[string]any{
			"type": kind, "status": status, "reason": "Hollow", "message": "a hollow node of the devcluster",
			"lastHeartbeatTime": now.Format(time.RFC3339),
		}
	}
	if err := c.patch(ctx, "/api/v1/nodes/"+name+"/status", map[string]any{"status": map[string]any{
		"capacity": amounts, "allocatable": amounts,
		"nodeInfo": map[string]any{
			"architecture": architecture, "operatingSystem": "linux", "kubeletVersion": "v0.0.0-hollow",
		},
		"conditions": []any{
			condition("Ready", "True"), condition("MemoryPressure", "False"),
			condition("DiskPressure", "False"), condition("PIDPressure", "False"),
		},
	}}); err != nil {
		return err
	}
	lease := map[string]any{
		"metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now.Format("2006-01-02T15:04:05.000000Z"),
		},
	}
	const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
	if err := c.post(ctx, leases, lease); err != nil {
		return err
	}
	return c.patch(ctx, leases+"/"+name, lease)
}

// removeDeletedPods deletes terminating pods, like a kubelet does after their containers have ended.
func (c *cluster) removeDeletedPods(ctx context.Context, name string) error {
	var pods struct {
		Items []struct {
			Metadata struct{ Name, Namespace, DeletionTimestamp string }
		}
	}
	path := "/api/v1/pods?fieldSelector=spec.nodeName%3D" + name
	if code, err := c.client.Do(ctx, http.MethodGet, path, nil, &pods); err != nil || code != http.StatusOK {
		return fmt.Errorf("list pods: status %d: %w", code, err)
	}
	for _, p := range pods.Items {
		if p.Metadata.DeletionTimestamp == "" {
			continue
		}
		const now = "/api/v1/namespaces/%s/pods/%s?gracePeriodSeconds=0"
		path := fmt.Sprintf(now, p.Metadata.Namespace, p.Metadata.Name)
		if code, err := c.client.Do(ctx, http.MethodDelete, path, nil, nil); err != nil {
			return fmt.Errorf("delete pod %s: status %d: %w", p.Metadata.Name, code, err)
		}
	}
	return nil
}

// post creates an object unless it exists.
func (c *cluster) post(ctx context.Context, path string, object any) error {
	data, err := json.Marshal(object)
	if err != nil {
		return err
	}
	_, err = c.client.Create(ctx, path, data)
	return err
}

func (c *cluster) patch(ctx context.Context, path string, object any) error {
	data, err := json.Marshal(object)
	if err != nil {
		return err
	}
	code, err := c.client.Do(ctx, http.MethodPatch, path, data, nil)
	if err != nil || code != http.StatusOK {
		return fmt.Errorf("patch %s: status %d: %w", path, code, err)
	}
	return nil
}
