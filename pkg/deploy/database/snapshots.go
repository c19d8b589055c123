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
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// FolderName is the name of the folder for dumps, next to the infraspec.
const FolderName = "snapshots"

// Folder returns the folder for the dumps of the infraspec in dir.
func Folder(dir string) string { return filepath.Join(dir, FolderName) }

// Snapshot is one dump of a database.
type Snapshot struct {
	Database string    `json:"database"`
	Version  string    `json:"version"` // of the app, whose migration ran after the dump
	Time     time.Time `json:"time"`
	Bytes    int64     `json:"bytes"`
}

const (
	dumpSuffix     = ".dump"
	maxSuggestions = 5 // snapshots that an error lists
)

// Name returns the snapshot's file name.
func (s Snapshot) Name() string {
	return fmt.Sprintf("%s_%s_%s%s", s.Database, s.Version, s.Time.UTC().Format(folder.TimeFormat), dumpSuffix)
}

// Size returns the size in a readable form such as 12MiB.
func (s Snapshot) Size() string {
	return resource.NewQuantity(s.Bytes, resource.BinarySI).String() + "B"
}

// IsDump reports whether a file's name is one of a dump, complete or not.
func IsDump(name string) bool {
	base, _, ok := strings.Cut(name, dumpSuffix)
	_, complete := parseSnapshot(base + dumpSuffix)
	return ok && complete
}

// parseSnapshot parses a snapshot's file name. The database's name may contain underscores.
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

// FileVersion returns a version in a form that can be part of a file name.
func FileVersion(version string) string {
	if name, digest, ok := strings.Cut(version, "@sha256:"); ok && name != "" {
		return digest[:min(len(digest), metadata.CommitDigits)]
	}
	return strings.Map(func(r rune) rune {
		if r == '/' || r == ':' || r == '_' {
			return '-'
		}
		return r
	}, version[strings.LastIndexByte(version, '/')+1:])
}

// List returns the snapshots next to an infraspec, newest first.
func List(spec *infraspec.Spec) ([]Snapshot, error) {
	return snapshotsIn(Folder(filepath.Dir(spec.Path())))
}

func snapshotsIn(folder string) ([]Snapshot, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list snapshots: %w", err)
	}
	var out []Snapshot
	for _, e := range entries {
		s, ok := parseSnapshot(e.Name())
		info, err := os.Stat(filepath.Join(folder, e.Name()))
		if !ok || err != nil || !info.Mode().IsRegular() {
			continue
		}
		s.Bytes = info.Size()
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b Snapshot) int { return cmp.Compare(b.Name(), a.Name()) })
	slices.SortStableFunc(out, func(a, b Snapshot) int { return b.Time.Compare(a.Time) })
	return out, nil
}

// Find returns the snapshot with a file name or path, or a *pipeline.UsageError that lists the newest snapshots.
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
	advice := "run norn deploy, which takes a snapshot before each migration"
	if len(names) > 0 {
		advice = "choose one of: " + strings.Join(names[:min(len(names), maxSuggestions)], ", ")
	}
	return Snapshot{}, &pipeline.UsageError{Problem: fmt.Sprintf("snapshot %q not found", name), Advice: advice}
}

// Retain removes all snapshots of a database but the newest keep.
func Retain(dir, database string, keep int) error {
	all, err := snapshotsIn(dir)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(s Snapshot) bool { return s.Database != database })
	var errs []error
	for _, s := range all[min(keep, len(all)):] {
		errs = append(errs, os.Remove(filepath.Join(dir, s.Name())))
	}
	return errors.Join(errs...)
}
