package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"norn/pkg/pipeline"
)

// Context returns the folder that folder names, relative to the app's folder. The error is a *pipeline.UsageError if
// there is no such folder in the source, also because a symbolic link leads outside.
func (t Tree) Context(folder string) (string, error) {
	path := filepath.Join(t.Dir, folder)
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &pipeline.UsageError{
			Problem: fmt.Sprintf("%s has no folder %s", t.Describe(), folder),
			Advice:  "commit it, or correct build.context in the infraspec",
		}
	}
	if err != nil {
		return "", fmt.Errorf("find the build context: %w", err)
	}
	top, err := filepath.EvalSymlinks(t.Copied)
	if err != nil {
		return "", fmt.Errorf("find the build context: %w", err)
	}
	if inside, err := filepath.Rel(top, real); err != nil || outside(inside) {
		return "", outsideError(folder, "the repository")
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return "", &pipeline.UsageError{
			Problem: fmt.Sprintf("build.context %s is not a folder", folder),
			Advice:  "name the folder that the Dockerfile copies from",
		}
	}
	return path, nil
}

// outside reports whether a relative path leads out of the folder it begins in.
func outside(path string) bool {
	return path == ".." || strings.HasPrefix(path, ".."+string(filepath.Separator))
}

func outsideError(folder, repository string) error {
	return &pipeline.UsageError{
		Problem: fmt.Sprintf("build.context %s is outside %s", folder, repository),
		Advice:  "name a folder inside the repository",
	}
}
