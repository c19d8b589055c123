package editor

import "syscall"

// The magic numbers of file systems in memory (linux/magic.h).
const (
	tmpfs = 0x01021994
	ramfs = 0x858458f6
)

// inMemory reports whether files in dir stay off the disk.
func inMemory(dir string) bool {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil {
		return false
	}
	kind := int64(fs.Type) //nolint:unconvert // the type differs between architectures
	return kind == tmpfs || kind == ramfs
}
