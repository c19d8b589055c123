package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"norn/devcluster/internal/cluster"
	"norn/devcluster/internal/kube"
	"norn/devcluster/internal/node"
	"norn/devcluster/internal/state"
)

// part is a part of the cluster with a check whether it is ready.
type part struct {
	name  string
	ready func(context.Context) (bool, error)
}

// parts returns the parts of the cluster, in the order in which up waits for them.
func parts(client *kube.Client, d *state.Dir, s state.Settings) []part {
	exists := func(path string) func(context.Context) (bool, error) {
		return func(ctx context.Context) (bool, error) { return client.Exists(ctx, path) }
	}
	since := d.Started()
	nodePart := func(name string) part {
		return part{name, func(ctx context.Context) (bool, error) { return client.NodeReady(ctx, name, since) }}
	}
	all := []part{{"API server", client.Ready}}
	for _, n := range node.All(s.Nodes) {
		if cluster.NodeState(d, n) == cluster.Off {
			continue
		}
		all = append(all, nodePart(n.Name()))
	}
	for i := range s.Hollow {
		all = append(all, nodePart(cluster.HollowName(i)))
	}
	for _, a := range cluster.AddOns(s) {
		all = append(all, part{a.Name, func(ctx context.Context) (bool, error) {
			code, answer, err := client.Get(ctx, a.Ready.Path)
			return code == http.StatusOK && a.Ready.Holds(answer), err
		}})
	}
	return append(all,
		part{"StorageClass", exists("/apis/storage.k8s.io/v1/storageclasses/standard")},
		part{"service account", exists("/api/v1/namespaces/default/serviceaccounts/default")})
}

// untilReady waits for each part in turn and reports the times. It fails as soon as the supervisor ends.
func untilReady(ctx context.Context, progress io.Writer, d *state.Dir, s state.Settings, ended <-chan error) error {
	client, err := client(d)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		err := <-ended
		cancel(fmt.Errorf("the supervisor ended: %w", errors.Join(err, logTail(d))))
	}()
	begin := time.Now()
	for _, p := range parts(client, d, s) {
		if err := kube.Until(ctx, 3*time.Minute, p.name+" is ready", p.ready); err != nil {
			return fmt.Errorf("%w; see the logs in %s", err, d.Path("log"))
		}
		_, _ = fmt.Fprintf(progress, "  %s ready (%.1fs)\n", p.name, time.Since(begin).Seconds())
	}
	return label(ctx, client, s)
}

// label sets the nodes' labels from the settings.
func label(ctx context.Context, client *kube.Client, s state.Settings) error {
	for name, labels := range s.Labels {
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}})
		if err != nil {
			return err
		}
		var refused struct{ Message string }
		code, err := client.Do(ctx, http.MethodPatch, "/api/v1/nodes/"+name, patch, &refused)
		if err != nil || code != http.StatusOK {
			return fmt.Errorf("label node %s: status %d %s: %w", name, code, refused.Message, err)
		}
	}
	return nil
}

// logTail returns the last lines of the supervisor's log as an error.
func logTail(d *state.Dir) error {
	data, err := os.ReadFile(d.Log("supervisor"))
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return errors.New(strings.Join(lines[max(0, len(lines)-3):], "; "))
}
