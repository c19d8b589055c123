package rollout

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"norn/internal/folder"
)

// FailuresFolder is the folder for the evidence of failed rollouts, next to the infraspec.
const FailuresFolder = ".norn/failures"

// save writes the evidence to a new file, without secret values, and prints its path.
func (r *runner) save(f Failure, at time.Time) error {
	if err := folder.MakePrivate(r.Failures); err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	data, err := r.encode(f)
	if err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	path := filepath.Join(r.Failures, fmt.Sprintf("%s_%s_%s.json", f.App, at.UTC().Format(folder.TimeFormat), f.Reason))
	if err := os.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("save the failure: %w", err)
	}
	_, _ = fmt.Fprintf(r.out, "evidence saved in %s\n", path)
	return nil
}

// encode returns the evidence as JSON, without secret values.
func (r *runner) encode(f Failure) ([]byte, error) {
	var evidence any = f
	if r.Redactor != nil {
		var err error
		if evidence, err = r.Redactor.Values(f); err != nil {
			return nil, err
		}
	}
	return json.MarshalIndent(evidence, "", "  ")
}
