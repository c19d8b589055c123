package database

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"norn/internal/folder"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// FolderName is the name of the folder, beside the infraspec, for the dumps.
const FolderName = "snapshots"

// Folder returns the folder for the dumps of an infraspec in dir.
func Folder(dir string) string { return filepath.Join(dir, FolderName) }

// Snapshot is one dump of a database.
type Snapshot struct {
	Database string    `json:"database"`
	Version  string    `json:"version"` // the one whose migration it was taken before
	Time     time.Time `json:"time"`
	Bytes    int64     `json:"bytes"`
}

const dumpSuffix = ".dump"

// Name is the snapshot's file name.
func (s Snapshot) Name() string {
	return fmt.Sprintf("%s_%s_%s%s", s.Database, s.Version, s.Time.UTC().Format(folder.TimeFormat), dumpSuffix)
}

// Size returns the size for people, such as 12MiB.
func (s Snapshot) Size() string {
	return resource.NewQuantity(s.Bytes, resource.BinarySI).String() + "B"
}

// parseSnapshot reads a file name back; what is none of a snapshot's is not ok. The database's name may hold underscores.
func parseSnapshot(name string) (s Snapshot, ok bool) {
	base, ok := strings.CutSuffix(name, dumpSuffix)
	i := strings.LastIndexByte(base, '_')
	if !ok || i < 0 {
		return s, false
	}
	at, err := time.Parse(folder.TimeFormat, base[i+1:])
	k := strings.LastIndexByte(base[:i], '_')
	if err != nil || k <= 0 {
		return s, false
	}
	return Snapshot{Database: base[:k], Version: base[k+1 : i], Time: at}, true
}

// List returns the dumps beside an infraspec, newest first.
func List(spec *infraspec.Spec) ([]Snapshot, error) {
	return list(Folder(filepath.Dir(spec.Path())))
}

func list(folder string) ([]Snapshot, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the snapshots: %w", err)
	}
	var out []Snapshot
	for _, e := range entries {
		s, ok := parseSnapshot(e.Name())
		info, err := e.Info()
		if !ok || err != nil {
			continue
		}
		s.Bytes = info.Size()
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b Snapshot) int { return cmp.Compare(b.Name(), a.Name()) })
	slices.SortStableFunc(out, func(a, b Snapshot) int { return b.Time.Compare(a.Time) })
	return out, nil
}

// Find returns the snapshot with a file name or path; a *pipeline.UsageError lists the existing ones.
func Find(spec *infraspec.Spec, name string) (Snapshot, error) {
	all, err := List(spec)
	if err != nil {
		return Snapshot{}, err
	}
	var names []string
	for _, s := range all {
		if s.Name() == filepath.Base(name) {
			return s, nil
		}
		names = append(names, s.Name())
	}
	advice := "there is none: norn deploy takes one before each migration"
	if len(names) > 0 {
		advice = "there are: " + strings.Join(names[:min(len(names), 5)], ", ")
	}
	return Snapshot{}, &pipeline.UsageError{Problem: fmt.Sprintf("there is no snapshot %q", name), Advice: advice}
}
