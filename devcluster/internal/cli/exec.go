package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/spf13/cobra"

	"norn/devcluster/internal/cluster"
	"norn/devcluster/internal/node"
	"norn/devcluster/internal/state"
)

// execCmd runs a command in a node's namespaces: it sees the node's files, and pods reach it at the node's address. It
// ends with the node.
func execCmd(dir dirFunc) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "exec [--node NODE] -- COMMAND [ARG…]",
		Short: "Run a command on a node",
		Example: `  devcluster exec -- ctr -n k8s.io images ls
  devcluster exec --node control-plane -- ss -ltn`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, s, err := running(dir)
			if err != nil {
				return err
			}
			if name == "" {
				name = append(nodeNames(state.Settings{Nodes: s.Nodes}), cluster.ControlPlane)[0]
			}
			inside, err := inside(d, name, args...)
			if err != nil {
				return err
			}
			inside.Stdin, inside.Stdout, inside.Stderr = os.Stdin, os.Stdout, os.Stderr
			err = inside.Run()
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				return &ExitError{exit.ExitCode()}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&name, "node", "", "name of the node, or control-plane (default: the first node)")
	return cmd
}

// ExitError is the exit code of a command that exec ran. The command has printed its own error.
type ExitError struct{ Code int }

func (e *ExitError) Error() string { return fmt.Sprintf("exit code %d", e.Code) }

// loadCmd loads an image into all nodes from an archive, as written by docker save or buildah push docker-archive:.
func loadCmd(dir dirFunc) *cobra.Command {
	return &cobra.Command{
		Use:   "load ARCHIVE",
		Short: "Load an image into all nodes",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, s, err := running(dir)
			if err != nil {
				return err
			}
			for _, n := range node.All(s.Nodes) {
				if cluster.NodeState(d, n) == cluster.Off {
					continue
				}
				if err := load(cmd, d, n.Name(), args[0]); err != nil {
					return fmt.Errorf("load an image into %s: %w", n.Name(), err)
				}
			}
			return nil
		},
	}
}

func load(cmd *cobra.Command, d *state.Dir, name, path string) error {
	archive, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }()
	ctr, err := inside(d, name, "ctr", "--namespace", "k8s.io", "images", "import", "-")
	if err != nil {
		return err
	}
	ctr.Stdin, ctr.Stdout, ctr.Stderr = archive, cmd.OutOrStdout(), cmd.ErrOrStderr()
	return ctr.Run()
}

// inside returns a command in the namespaces of a node.
func inside(d *state.Dir, name string, args ...string) (*exec.Cmd, error) {
	first, err := cluster.First(d, name)
	if err != nil {
		return nil, err
	}
	enter := []string{"--target", strconv.Itoa(first), "--mount", "--net", "--pid", "--uts", "--ipc", "--"}
	return exec.Command("nsenter", append(enter, args...)...), nil
}
