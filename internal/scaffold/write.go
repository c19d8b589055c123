package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"norn/internal/atomicfile"
	"norn/internal/regularfile"
	"norn/pkg/infraspec"
)

// SchemaPath is the path of the schema for editors, relative to the app's folder.
const SchemaPath = ".norn/infraspec.schema.json"

// ExistsError reports that the folder already has an infraspec, which norn never overwrites.
type ExistsError struct{ Path string }

// Error names the file.
func (e *ExistsError) Error() string { return e.Path + " already exists, and was not changed" }

// Hint returns the next step.
func (e *ExistsError) Hint() string {
	return "check it with norn validate, or move it away to start over"
}

// Exists returns an *ExistsError if dir has an infraspec.
func Exists(dir string) error {
	path := filepath.Join(dir, infraspec.FileName)
	if _, err := os.Lstat(path); err == nil {
		return &ExistsError{path}
	}
	return nil
}

// Write writes the infraspec and the schema to dir, and returns the infraspec's path. If dir already has an infraspec,
// it returns an *ExistsError. It does not overwrite an existing schema; stale reports whether that one differs.
func Write(dir string, a Answers) (path string, stale bool, err error) {
	if err := Exists(dir); err != nil {
		return "", false, err
	}
	schema := filepath.Join(dir, filepath.FromSlash(SchemaPath))
	if err := os.MkdirAll(filepath.Dir(schema), 0o755); err != nil {
		return "", false, fmt.Errorf("create the schema's folder: %w", err)
	}
	if err := create(schema, infraspec.Schema); errors.Is(err, fs.ErrExist) {
		old, readErr := regularfile.Read(schema, regularfile.MaxText)
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
