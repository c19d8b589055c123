package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// save writes the evidence into a file of its own under dir, and tells where.
func (f Failure) save(dir string, at time.Time, out io.Writer) error {
	if err := privateFolder(dir); err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	path := filepath.Join(dir, fmt.Sprintf("%s_%s_%s.json", f.App, at.UTC().Format(fileTime), f.Reason))
	if err := os.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	_, _ = fmt.Fprintf(out, "the evidence is in %s\n", path)
	return nil
}

// fileTime is a time in a file's name; it sorts.
const fileTime = "20060102T150405Z"

// privateFolder makes a folder for what belongs into no repository: git is told so, since the next deploy would call the checkout dirty.
func privateFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ignore := filepath.Join(dir, ".gitignore")
	if _, err := os.Stat(ignore); err == nil {
		return nil
	}
	return os.WriteFile(ignore, []byte("*\n"), 0o644)
}
