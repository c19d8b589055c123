package rollout

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"norn/internal/folder"
)

// save writes the evidence to a new file, without secret values, and prints its path.
func (r *runner) save(f Failure, at time.Time) error {
	if err := folder.MakePrivate(r.Failures); err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	path := filepath.Join(r.Failures, fmt.Sprintf("%s_%s_%s.json", f.App, at.UTC().Format(folder.TimeFormat), f.Reason))
	var text bytes.Buffer
	if err := r.redact(&text, data); err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	if err := os.WriteFile(path, append(text.Bytes(), '\n'), 0o600); err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	_, _ = fmt.Fprintf(r.out, "evidence saved in %s\n", path)
	return nil
}

// redact writes text to w, without secret values.
func (r *runner) redact(w io.Writer, text []byte) error {
	if r.Redactor == nil {
		_, err := w.Write(text)
		return err
	}
	redacted := r.Redactor.Writer(w)
	_, err := redacted.Write(text)
	return errors.Join(err, redacted.Close())
}
