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

// save writes the evidence into a file of its own, without secret values, and tells where.
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
