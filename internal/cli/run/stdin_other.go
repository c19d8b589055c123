//go:build !linux

package run

import "os"

// hasUnread returns false, because norn counts unread bytes only on Linux.
func hasUnread(*os.File) bool { return false }
