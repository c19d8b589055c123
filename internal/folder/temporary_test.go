package folder

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// NewTemporary removes the folder of a killed run and keeps the folder of a live run.
func TestSweepTemporary(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	live, err := NewTemporary()
	if err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(os.TempDir(), temporaryPrefix+"killed")
	if err := os.Mkdir(killed, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(killed, "lock"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	next, err := NewTemporary()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(killed); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the killed run's folder still exists: %v", err)
	}
	if _, err := os.Stat(live.Dir); err != nil {
		t.Errorf("the live run's folder: %v", err)
	}
	for _, tmp := range []*Temporary{live, next} {
		if err := tmp.Remove(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}
