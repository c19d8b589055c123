package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// save writes the evidence into a file of its own, without secret values, and tells where.
func (r *runner) save(f Failure, at time.Time) error {
	if err := privateFolder(r.Failures); err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	path := filepath.Join(r.Failures, fmt.Sprintf("%s_%s_%s.json", f.App, at.UTC().Format(fileTime), f.Reason))
	var text bytes.Buffer
	if err := r.redact(&text, data); err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	if err := os.WriteFile(path, append(text.Bytes(), '\n'), 0o600); err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	_, _ = fmt.Fprintf(r.out, "the evidence is in %s\n", path)
	return nil
}

// redact writes text without secret values.
func (r *runner) redact(to io.Writer, text []byte) error {
	if r.Redactor == nil {
		_, err := to.Write(text)
		return err
	}
	w := r.Redactor.Writer(to)
	_, err := w.Write(text)
	return errors.Join(err, w.Close())
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
