package cli

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/spf13/cobra"

	"norn/devcluster/internal/node"
	"norn/devcluster/internal/state"
)

func downCmd(dir dirFunc) *cobra.Command {
	var wipe bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop the cluster and keep its folder",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			if !d.Exists() {
				if wipe {
					return d.Wipe() // deletes only a devcluster's folder
				}
				return nil
			}
			lock, err := d.Acquire(state.Commands) // waits for a running up
			if err != nil {
				return err
			}
			defer lock.Release()
			if err := down(d); err != nil {
				return err
			}
			if wipe {
				return d.Wipe()
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&wipe, "wipe", false, "also delete the folder and its contents")
	return cmd
}

// down stops the supervisor and waits until its lock is free. The supervisor's pid is read from
// the lock's file while the lock is held, so it is never that of another process.
func down(d *state.Dir) error {
	pid, err := d.Supervisor()
	if err != nil {
		return err
	}
	if pid != 0 {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the supervisor (pid %d): %w", pid, err)
		}
	}
	lock, err := d.Acquire(state.Cluster)
	if err != nil {
		return err
	}
	lock.Release()
	node.ClearCgroups(d.Name()) // a killed supervisor leaves them
	return nil
}
