package infraspec

import (
	"os"

	"norn/internal/atomicfile"
	"norn/internal/regularfile"
)

// editFile replaces the text of the file at path with what edit makes of it. Other processes see either the whole old
// text or the whole new one.
func editFile(path string, edit func(data []byte) ([]byte, error)) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	data, err := regularfile.Read(path, regularfile.MaxText)
	if err != nil {
		return err
	}
	edited, err := edit(data)
	if err != nil {
		return err
	}
	return atomicfile.Replace(path, info.Mode().Perm(), edited)
}
