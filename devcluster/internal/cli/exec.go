package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"norn/devcluster/internal/state"
)

// execCmd runs a command where the node's processes are, so that it sees their files and pods can reach it at the
// bridge's address. It ends with the cluster.
func execCmd(dir dirFunc) *cobra.Command {
	return &cobra.Command{
		Use:     "exec -- COMMAND [ARG…]",
		Short:   "Run a command inside the node's namespaces",
		Example: "  devcluster exec -- ctr -n k8s.io images ls",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			inside, err := inside(d, args...)
			if err != nil {
				return err
			}
			inside.Stdin, inside.Stdout, inside.Stderr = os.Stdin, os.Stdout, os.Stderr
			return inside.Run()
		},
	}
}

// loadCmd gives the node an image from an archive, as docker save and buildah push docker-archive: write it.
func loadCmd(dir dirFunc) *cobra.Command {
	return &cobra.Command{
		Use:   "load ARCHIVE",
		Short: "Load an image into the node",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			archive, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("load an image: %w", err)
			}
			defer func() { _ = archive.Close() }()
			load, err := inside(d, "ctr", "--namespace", "k8s.io", "images", "import", "-")
			if err != nil {
				return err
			}
			load.Stdin, load.Stdout, load.Stderr = archive, cmd.OutOrStdout(), cmd.ErrOrStderr()
			return load.Run()
		},
	}
}

// inside is a command in the namespaces of the cluster's first process.
func inside(d *state.Dir, args ...string) (*exec.Cmd, error) {
	first, err := firstProcess(d)
	if err != nil {
		return nil, err
	}
	return exec.Command("nsenter", append([]string{"--target", strconv.Itoa(first), "--mount", "--net", "--pid", "--uts", "--ipc", "--"}, args...)...), nil
}

// firstProcess is the PID of the cluster's first process, as the host sees it.
func firstProcess(d *state.Dir) (int, error) {
	supervisor, err := d.Supervisor()
	if err != nil {
		return 0, err
	}
	if supervisor == 0 {
		return 0, fmt.Errorf("no devcluster runs in %s; start one with devcluster up", d.Root)
	}
	return childOf(supervisor)
}

// childOf finds a process's child, by the parent that each process names (man 5 proc: status).
func childOf(parent int) (int, error) {
	found, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return 0, fmt.Errorf("find the cluster's first process: %w", err)
	}
	for _, path := range found {
		data, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(data), fmt.Sprintf("\nPPid:\t%d\n", parent)) {
			return strconv.Atoi(filepath.Base(filepath.Dir(path)))
		}
	}
	return 0, errors.New("the cluster's first process is not there: it is starting, or ending")
}
