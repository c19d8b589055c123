package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	cri "k8s.io/cri-client/pkg"

	"norn/devcluster/internal/cluster"
	"norn/devcluster/internal/node"
	"norn/devcluster/internal/state"
)

// rotateCmd rotates logs on demand, like the kubelet does with a log that has grown to containerLogMaxSize
// (pkg/kubelet/logs, rotateLatestLog). The kubelet also deletes and compresses the oldest files; rotateCmd does not.
func rotateCmd(dir dirFunc) *cobra.Command {
	var namespace string
	cmd := &cobra.Command{
		Use:   "rotate [POD…]",
		Short: "Rotate the logs of running containers and print the old files",
		RunE: func(cmd *cobra.Command, args []string) error {
			d, s, err := running(dir)
			if err != nil {
				return err
			}
			for _, n := range node.All(s.Nodes) {
				if cluster.NodeState(d, n) != cluster.Running {
					continue
				}
				old, err := rotate(cmd.Context(), d, n, func(pod pod) bool {
					return (namespace == "" || pod.namespace == namespace) &&
						(len(args) == 0 || slices.Contains(args, pod.name))
				})
				for _, path := range old {
					_, _ = fmt.Fprintln(cmd.OutOrStdout(), path)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "namespace of the pods (default: all)")
	return cmd
}

type pod struct{ namespace, name string }

// rotate rotates the logs of running containers in a node's selected pods, and returns the old files.
func rotate(ctx context.Context, d *state.Dir, n node.Node, selected func(pod) bool) ([]string, error) {
	first, err := cluster.First(d, n.Name())
	if err != nil {
		return nil, err
	}
	// The process's root folder makes the socket reachable from outside of the node's namespaces.
	socket := filepath.Join("/proc", fmt.Sprint(first), "root", node.ContainerdSocket)
	runtime, err := cri.NewRemoteRuntimeServiceBuilder().WithEndpoint("unix://" + socket).
		WithConnectionTimeout(time.Minute).Build(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to containerd: %w", err)
	}
	defer func() { _ = runtime.Close(ctx) }()
	running := &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_RUNNING}
	containers, err := runtime.ListContainers(ctx, &runtimeapi.ContainerFilter{State: running})
	if err != nil {
		return nil, fmt.Errorf("list the containers: %w", err)
	}
	var rotated []string
	for _, c := range containers {
		if !selected(pod{c.GetLabels()["io.kubernetes.pod.namespace"], c.GetLabels()["io.kubernetes.pod.name"]}) {
			continue
		}
		status, err := runtime.ContainerStatus(ctx, c.GetId(), false)
		if err != nil {
			return rotated, fmt.Errorf("get the status of container %s: %w", c.GetId(), err)
		}
		log := d.Path("nodes", n.Name(), "var-log", strings.TrimPrefix(status.GetStatus().GetLogPath(), "/var/log/"))
		old := oldName(log, time.Now())
		if err := os.Rename(log, old); errors.Is(err, os.ErrNotExist) {
			continue // the pod was just deleted
		} else if err != nil {
			return rotated, fmt.Errorf("rotate a log: %w", err)
		}
		if err := runtime.ReopenContainerLog(ctx, c.GetId()); err != nil {
			if back := os.Rename(old, log); back != nil && !errors.Is(back, os.ErrNotExist) {
				return rotated, fmt.Errorf("restore a log: %w", back)
			}
			continue // the container just ended
		}
		rotated = append(rotated, old)
	}
	return rotated, nil
}

// oldName returns the name of a log rotated at a time. If that name is taken, it uses the next free second.
func oldName(log string, at time.Time) string {
	for ; ; at = at.Add(time.Second) {
		old := log + "." + at.Format("20060102-150405")
		if _, err := os.Lstat(old); errors.Is(err, os.ErrNotExist) {
			return old
		}
	}
}
