//go:build !linux

package run

import "os"

// hasUnread returns false: only Linux is asked.
func hasUnread(*os.File) bool { return false }
