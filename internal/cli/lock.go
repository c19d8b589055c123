package cli

import (
	"time"

	"github.com/spf13/cobra"

	"norn/pkg/k8s/lease"
)

// defaultLockTimeout is a little more than a dead holder keeps a lock, so that a run that was killed can just be repeated.
const defaultLockTimeout = 45 * time.Second

// bindLock adds --lock-timeout.
func bindLock(cmd *cobra.Command, lock *lease.Request) {
	lock.Wait = defaultLockTimeout
	cmd.Flags().DurationVar(&lock.Wait, "lock-timeout", lock.Wait, "how long to wait while somebody else works on the app")
	lock.Holder = lease.ThisProcess("norn " + cmd.Name())
}
