package folder

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A folder that a killed run has left goes with the next run, that of a living run stays.
func TestSweepTemporary(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	living, err := NewTemporary()
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(os.TempDir(), temporaryPrefix+"dead")
	if err := os.Mkdir(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dead, "lock"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	next, err := NewTemporary()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the dead run's folder: %v", err)
	}
	if _, err := os.Stat(living.Dir); err != nil {
		t.Errorf("the living run's folder: %v", err)
	}
	for _, tmp := range []*Temporary{living, next} {
		if err := tmp.Remove(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
