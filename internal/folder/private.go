// Package folder creates norn's folders on this machine: private folders that git ignores, and temporary folders that a
// later run removes if the run that created them was killed.
package folder

import (
	"os"
	"path/filepath"
)

// TimeFormat is the format of times in file names, which sort by time.
const TimeFormat = "20060102T150405Z"

// MakePrivate creates a folder that git ignores. Otherwise the next deploy would report uncommitted changes.
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
