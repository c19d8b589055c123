// Package folder makes norn's own folders on this machine: private ones for what belongs into no repository, and temporary
// ones that a later run removes if their own run was killed.
package folder

import (
	"os"
	"path/filepath"
)

// TimeFormat formats a time for a file's name, so that names sort by time.
const TimeFormat = "20060102T150405Z"

// MakePrivate makes a folder that git ignores: otherwise the next deploy would call the checkout dirty.
func MakePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ignore := filepath.Join(dir, ".gitignore")
	if _, err := os.Stat(ignore); err == nil {
		return nil
	}
	return os.WriteFile(ignore, []byte("*\n"), 0o644)
}
