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
		Short: "Stop the cluster; its folder stays",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			if !d.Exists() {
				if wipe {
					return d.Wipe() // which deletes nothing of others
				}
				return nil
			}
			lock, err := d.Acquire(state.Commands) // an up in progress ends first
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
	cmd.Flags().BoolVar(&wipe, "wipe", false, "also delete the folder and everything in it")
	return cmd
}

// down ends the supervisor and waits until it has let go of its lock. The pid is taken from the lock's holder alone,
// so that it is never somebody else's.
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
	node.ClearCgroups(d.Name()) // a supervisor that was killed has left them
	return nil
}
