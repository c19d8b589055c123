package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"norn/internal/atomicfile"
	"norn/pkg/infraspec"
)

// SchemaPath is where the schema for editors lies, from the app's folder.
const SchemaPath = ".norn/infraspec.schema.json"

// ExistsError says that there is an infraspec already, which is never overwritten.
type ExistsError struct{ Path string }

// Error names the file.
func (e *ExistsError) Error() string { return e.Path + " is there already, and was left as it is" }

// Hint is what to do about it.
func (e *ExistsError) Hint() string {
	return "norn validate checks it; to begin anew, move it away first"
}

// Exists returns an *ExistsError where dir has an infraspec.
func Exists(dir string) error {
	path := filepath.Join(dir, infraspec.FileName)
	if _, err := os.Lstat(path); err == nil {
		return &ExistsError{path}
	}
	return nil
}

// Write puts the infraspec and the schema into dir and returns the infraspec's path. It never overwrites an infraspec (*ExistsError), and one that is
// there is whole. A schema of another version is left too; stale says so.
func Write(dir string, a Answers) (path string, stale bool, err error) {
	if err := Exists(dir); err != nil {
		return "", false, err
	}
	schema := filepath.Join(dir, filepath.FromSlash(SchemaPath))
	if err := os.MkdirAll(filepath.Dir(schema), 0o755); err != nil {
		return "", false, fmt.Errorf("make the schema's folder: %w", err)
	}
	if err := create(schema, infraspec.Schema); errors.Is(err, fs.ErrExist) {
		old, readErr := os.ReadFile(schema)
		stale = readErr == nil && !bytes.Equal(old, infraspec.Schema)
	} else if err != nil {
		return "", false, err
	}
	path = filepath.Join(dir, infraspec.FileName)
	err = create(path, []byte(Text(a)))
	if errors.Is(err, fs.ErrExist) {
		err = &ExistsError{path}
	}
	return path, stale, err
}

func create(path string, data []byte) error {
	if err := atomicfile.Create(path, 0o644, data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
