package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"norn/internal/command"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// snapshots is the folder, beside the infraspec, that dumps are kept in.
const snapshots = "snapshots"

func snapshotFolder(dir string) string { return filepath.Join(dir, snapshots) }

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
	return fmt.Sprintf("%s_%s_%s%s", s.Database, s.Version, s.Time.UTC().Format(fileTime), dumpSuffix)
}

func (s Snapshot) size() string {
	return resource.NewQuantity(s.Bytes, resource.BinarySI).String() + "B"
}

// parseSnapshot reads a file name back; what is none of a snapshot's is not ok. The database's name may hold underscores.
func parseSnapshot(name string) (s Snapshot, ok bool) {
	base, ok := strings.CutSuffix(name, dumpSuffix)
	i := strings.LastIndexByte(base, '_')
	if !ok || i < 0 {
		return s, false
	}
	at, err := time.Parse(fileTime, base[i+1:])
	k := strings.LastIndexByte(base[:i], '_')
	if err != nil || k <= 0 {
		return s, false
	}
	return Snapshot{Database: base[:k], Version: base[k+1 : i], Time: at}, true
}

// Snapshots lists the dumps beside an infraspec, newest first.
func Snapshots(spec *infraspec.Spec) ([]Snapshot, error) {
	return listSnapshots(snapshotFolder(filepath.Dir(spec.Path())))
}

func listSnapshots(folder string) ([]Snapshot, error) {
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

// FindSnapshot is the one of a file name, or path; a *UsageError names those that there are.
func FindSnapshot(spec *infraspec.Spec, name string) (Snapshot, error) {
	all, err := Snapshots(spec)
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
	return Snapshot{}, &UsageError{fmt.Sprintf("there is no snapshot %q", name), advice}
}

// RestoreOptions are what the restore of a snapshot needs.
type RestoreOptions struct {
	Target
	Database Database
}

// Restore brings a database back to a snapshot, in one transaction: as a whole or not at all. What is there now is dumped first.
func Restore(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, s Snapshot, o RestoreOptions) error {
	r := &run{cluster: cluster, spec: o.Spec, options: Options{Target: o.Target, Database: o.Database}, dir: filepath.Dir(o.Spec.Path())}
	var c connection
	folder := snapshotFolder(r.dir)
	return o.locked(ctx, cluster, to, func(ctx context.Context) error {
		return pipeline.Run(ctx, to, r.redacted([]pipeline.Step{
			{Name: "snapshot", Run: func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
				address, err := r.databaseURL(ctx)
				if err == nil {
					c, err = connectionTo(s.Database, address, o.Database)
				}
				if err != nil {
					return pipeline.Result{}, err
				}
				made, err := dump(ctx, c, folder, Snapshot{Database: s.Database, Version: "before-restore", Time: time.Now().UTC()}, out)
				if err != nil {
					return pipeline.Result{}, &SnapshotError{s.Database, err}
				}
				return pipeline.Result{State: pipeline.Done, Detail: filepath.Join(snapshots, made.Name())}, nil
			}},
			{Name: "restore", Run: func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
				path := filepath.Join(folder, s.Name())
				err := runPostgres(ctx, c, command.Options{Stdout: out, Stderr: out}, "pg_restore", "--clean", "--if-exists", "--single-transaction", "--exit-on-error", path)
				if err != nil {
					return pipeline.Result{}, fmt.Errorf("restore %s, which was undone: %w", s.Name(), err)
				}
				return pipeline.Result{State: pipeline.Done, Detail: s.Name()}, nil
			}},
		}))
	})
}
