//go:build !unix

package editor

import "os"

// isOwnFolder reports whether path is a folder. On these systems, each user has a temporary folder of their own.
func isOwnFolder(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
