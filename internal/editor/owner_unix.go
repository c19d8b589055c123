//go:build unix

package editor

import (
	"os"
	"syscall"
)

// isOwnFolder reports whether path is a folder of this user, not a link to one.
func isOwnFolder(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
