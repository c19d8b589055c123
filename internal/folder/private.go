// Package folder creates norn's folders on this machine: private folders that git ignores, and temporary folders that a
// later run removes if the run that created them was killed.
package folder

import (
	"bytes"
	"os"
	"path/filepath"

	"norn/internal/atomicfile"
	"norn/internal/regularfile"
)

// TimeFormat is the format of times in file names, which sort by time.
const TimeFormat = "20060102T150405Z"

// MakePrivate creates a folder that git ignores. Otherwise the next deploy would report uncommitted changes.
func MakePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ignore := filepath.Join(dir, ".gitignore")
	// A full disk may have left it empty.
	if text, err := regularfile.Read(ignore, regularfile.MaxText); err == nil && len(bytes.TrimSpace(text)) > 0 {
		return nil
	}
	return atomicfile.Replace(ignore, 0o644, []byte("*\n"))
}
