package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"norn/devcluster/internal/cluster"
	"norn/devcluster/internal/kube"
	"norn/devcluster/internal/node"
	"norn/devcluster/internal/state"
)

func nodeCmd(dir dirFunc) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "node",
		Short: "List, stop, start, freeze and thaw nodes",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(nodeListCmd(dir),
		nodeAction(dir, "stop", "Stop a node and kill its containers",
			func(_ context.Context, d *state.Dir, n node.Node) error { return cluster.Stop(d, n) }),
		nodeAction(dir, "start", "Start a node and wait until it is Ready", startNode),
		nodeAction(dir, "freeze", "Pause a node's kubelet and container runtime", cluster.Freeze),
		nodeAction(dir, "thaw", "Resume a frozen node", cluster.Thaw))
	return cmd
}

func nodeAction(
	dir dirFunc, use, short string, do func(context.Context, *state.Dir, node.Node) error,
) *cobra.Command {
	return &cobra.Command{
		Use:   use + " NODE",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, s, err := running(dir)
			if err != nil {
				return err
			}
			n, ok := node.Named(args[0], s.Nodes)
			if !ok {
				return fmt.Errorf("no node %q; the nodes are %s", args[0], strings.Join(nodeNames(s), ", "))
			}
			return do(cmd.Context(), d, n)
		},
	}
}

// running returns the folder and the settings of the running cluster, or an error if no cluster is running.
func running(dir dirFunc) (*state.Dir, state.Settings, error) {
	d, err := dir()
	if err != nil {
		return nil, state.Settings{}, err
	}
	pid, err := d.Supervisor()
	if err != nil {
		return nil, state.Settings{}, err
	}
	if pid == 0 {
		return nil, state.Settings{}, notRunning(d)
	}
	s, err := d.Settings()
	return d, s, err
}

func notRunning(d *state.Dir) error {
	return fmt.Errorf("no devcluster is running in %s; start one with devcluster up", d.Root)
}

// nodeTimeout is how long a node may take to become Ready.
const nodeTimeout = 3 * time.Minute

func startNode(ctx context.Context, d *state.Dir, n node.Node) error {
	client, err := client(d)
	if err != nil {
		return err
	}
	var before kube.Node
	if _, err := client.Do(ctx, http.MethodGet, "/api/v1/nodes/"+n.Name(), nil, &before); err != nil {
		return err
	}
	_, at, _ := before.Ready()
	if err := cluster.Start(d, n); err != nil {
		return err
	}
	if cluster.NodeState(d, n) == cluster.Running {
		return nil
	}
	return kube.Until(ctx, nodeTimeout, n.Name()+" is ready", func(ctx context.Context) (bool, error) {
		return client.NodeReady(ctx, n.Name(), at.Add(1))
	})
}

func nodeListCmd(dir dirFunc) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the nodes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, s, err := running(dir)
			if err != nil {
				return err
			}
			client, err := client(d)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "NODE\tSTATE\tREADY\tADDRESS\tPODS\tARCHITECTURE")
			row := func(name, state, address, pods string) error {
				var live kube.Node
				if _, err := client.Do(cmd.Context(), http.MethodGet, "/api/v1/nodes/"+name, nil, &live); err != nil {
					return err
				}
				ready, _, _ := live.Ready()
				_, err := fmt.Fprintf(w, "%s\t%s\t%t\t%s\t%s\t%s\n",
					name, state, ready, address, pods, live.Status.NodeInfo.Architecture)
				return err
			}
			for _, n := range node.All(s.Nodes) {
				if err := row(n.Name(), cluster.NodeState(d, n), n.IP().String(), n.PodSubnet()); err != nil {
					return err
				}
			}
			for i := range s.Hollow {
				if err := row(cluster.HollowName(i), "hollow", "-", "-"); err != nil {
					return err
				}
			}
			return w.Flush()
		},
	}
}
