// Package cli is devcluster's command line.
package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"norn/devcluster/internal/cluster"
	"norn/devcluster/internal/node"
	"norn/devcluster/internal/state"
)

// New returns the root command. The default state folder is $DEVCLUSTER_DIR, or devcluster in the XDG state folder.
func New() *cobra.Command {
	var path string
	dir := func() (*state.Dir, error) { return state.Open(path) }
	root := &cobra.Command{
		Use:   "devcluster",
		Short: "Run a real Kubernetes for demos and tests",
		Long: `Runs etcd, the control plane, nodes and an image registry in their own Linux namespaces.
It uses only sockets on 127.0.0.1 and one folder of this machine.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&path, "dir", "", "state folder (DEVCLUSTER_DIR)")
	root.AddCommand(upCmd(dir), downCmd(dir), statusCmd(dir), kubeconfigCmd(dir), nodeCmd(dir), logsCmd(dir), execCmd(dir),
		loadCmd(dir), rotateCmd(dir),
		hidden(cluster.SuperviseCommand, 0, dir, func(ctx context.Context, d *state.Dir, _ []string) error {
			return cluster.Supervise(ctx, d)
		}),
		hidden(cluster.InitCommand, 0, dir, func(ctx context.Context, d *state.Dir, _ []string) error {
			return cluster.Init(ctx, d)
		}),
		hidden(node.InitCommand, 1, dir, func(ctx context.Context, d *state.Dir, args []string) error {
			return node.Init(ctx, d, args[0])
		}))
	return root
}

// hidden returns a command with which devcluster starts itself.
func hidden(name string, args int, dir dirFunc, run func(context.Context, *state.Dir, []string) error) *cobra.Command {
	return &cobra.Command{
		Use:    name,
		Hidden: true,
		Args:   cobra.ExactArgs(args),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			return run(cmd.Context(), d, args)
		},
	}
}

type dirFunc = func() (*state.Dir, error)

func statusCmd(dir dirFunc) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the running cluster; exit code 1 if none is running",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			pid, err := d.Supervisor()
			if err != nil {
				return err
			}
			if pid == 0 {
				return notRunning(d)
			}
			client, err := client(d)
			if err != nil {
				return err
			}
			settings, err := d.Settings()
			if err != nil {
				return err
			}
			ready := 0
			for _, name := range nodeNames(settings) {
				if ok, _ := client.NodeReady(cmd.Context(), name, d.Started()); ok { // no answer counts as not ready
					ready++
				}
			}
			if !asJSON {
				_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "running (pid %d), %d of %d nodes ready\n",
					pid, ready, len(nodeNames(settings)))
			}
			return show(cmd.OutOrStdout(), d.Info(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "machine-readable output")
	return cmd
}

func show(w io.Writer, i state.Info, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(i)
	}
	_, err := fmt.Fprintf(w, "kubeconfig: %s\nregistry:   %s\n", i.Kubeconfig, i.Registry)
	if err == nil && i.Gateway != "" {
		_, err = fmt.Fprintf(w, "gateway:    %s, TLS %s\n", i.Gateway, i.GatewayTLS)
	}
	return err
}

func kubeconfigCmd(dir dirFunc) *cobra.Command {
	return &cobra.Command{
		Use:     "kubeconfig",
		Short:   "Print the path of the kubeconfig",
		Example: "  export KUBECONFIG=$(devcluster kubeconfig)",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			if _, err := os.Stat(d.Kubeconfig()); err != nil {
				return fmt.Errorf("no devcluster in %s; start one with devcluster up", d.Root)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), d.Kubeconfig())
			return err
		},
	}
}
