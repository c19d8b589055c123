// Package cli is devcluster's command line.
package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"norn/devcluster/internal/node"
	"norn/devcluster/internal/state"
)

// New is the root command. Without another place named, all commands mean the folder $DEVCLUSTER_DIR,
// or devcluster in the XDG state folder.
func New() *cobra.Command {
	var path string
	dir := func() (*state.Dir, error) { return state.Open(path) }
	root := &cobra.Command{
		Use:           "devcluster",
		Short:         "A real single-node Kubernetes for demos and tests",
		Long:          "Runs etcd, the control plane, a kubelet and an image registry in namespaces of their own.\nOn this machine there are only two sockets on 127.0.0.1, and one folder.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&path, "dir", "", "state folder (DEVCLUSTER_DIR)")
	root.AddCommand(upCmd(dir), downCmd(dir), statusCmd(dir), kubeconfigCmd(dir), logsCmd(dir), execCmd(dir), loadCmd(dir), rotateCmd(dir),
		hidden(node.SuperviseCommand, func(cmd *cobra.Command) error {
			d, err := dir()
			if err != nil {
				return err
			}
			return node.Supervise(cmd.Context(), d)
		}),
		hidden(node.InitCommand, func(cmd *cobra.Command) error {
			d, err := dir()
			if err != nil {
				return err
			}
			return node.Init(cmd.Context(), d)
		}))
	return root
}

func hidden(name string, run func(*cobra.Command) error) *cobra.Command {
	return &cobra.Command{Use: name, Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd) }}
}

type dirFunc = func() (*state.Dir, error)

func statusCmd(dir dirFunc) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say whether it runs, and where; exit 1 if it does not",
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
				return fmt.Errorf("no devcluster runs in %s; start one with devcluster up", d.Root)
			}
			client, err := client(d)
			if err != nil {
				return err
			}
			ready, _ := client.NodeReady(cmd.Context(), d.Started()) // an API server that is away is "not ready"
			if !asJSON {
				_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "running (pid %d), node ready: %t\n", pid, ready)
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
	return err
}

func kubeconfigCmd(dir dirFunc) *cobra.Command {
	return &cobra.Command{
		Use:     "kubeconfig",
		Short:   "Print the kubeconfig's path",
		Example: "  export KUBECONFIG=$(devcluster kubeconfig)",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			if _, err := os.Stat(d.Kubeconfig()); err != nil {
				return fmt.Errorf("there is no devcluster in %s; start one with devcluster up", d.Root)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), d.Kubeconfig())
			return err
		},
	}
}
