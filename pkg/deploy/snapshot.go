package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"norn/internal/command"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// snapshot dumps the migration's database, before the migration.
func (r *run) snapshot(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	if why := r.noSnapshot(); why != "" {
		return pipeline.Result{State: pipeline.Skipped, Detail: why}, nil
	}
	address, err := r.databaseURL(ctx)
	if err != nil {
		return pipeline.Result{}, err
	}
	c, err := connectionTo(r.spec.Migrations.Database, address, r.options.Database)
	if err != nil {
		return pipeline.Result{}, err
	}
	folder := snapshotFolder(r.dir)
	made, err := dump(ctx, c, folder, Snapshot{Database: r.spec.Migrations.Database, Version: fileVersion(r.version()), Time: time.Now().UTC()}, out)
	if err != nil {
		return pipeline.Result{}, &SnapshotError{r.spec.Migrations.Database, err}
	}
	r.dumped = made.Name()
	if err := retain(folder, made.Database, r.spec.Artifacts.Retain); err != nil {
		pipeline.Warn(out, "old snapshots are left: %v", err)
	}
	return pipeline.Result{State: pipeline.Done, Detail: fmt.Sprintf("%s, %s", filepath.Join(snapshots, made.Name()), made.size())}, nil
}

// noSnapshot says why there is none to take, or "".
func (r *run) noSnapshot() string {
	switch {
	case r.noMigration() != "":
		return r.noMigration()
	case r.options.SkipSnapshot:
		return "--skip-snapshot"
	case r.spec.Migrations.Database == "":
		return "the infraspec has no migrations.database"
	}
	return ""
}

// SnapshotError says that the dump before a migration could not be made; the migration was not begun.
type SnapshotError struct {
	Database string
	Err      error
}

// Error says why.
func (e *SnapshotError) Error() string {
	return fmt.Sprintf("dump database %s: %v", e.Database, e.Err)
}

// Hint is what to do about it.
func (e *SnapshotError) Hint() string {
	return "set NORN_PG_LOCAL_HOST where this machine reaches the database under another name than the pods, or leave the dump out with --skip-snapshot"
}

func (e *SnapshotError) Unwrap() error { return e.Err }

// dump writes a database into a file, which is there as a whole or not at all.
func dump(ctx context.Context, c connection, folder string, s Snapshot, out io.Writer) (made Snapshot, err error) {
	if err := privateFolder(folder); err != nil {
		return s, err
	}
	sweepPartial(folder)
	path := filepath.Join(folder, s.Name())
	partial := filepath.Join(folder, "."+s.Name()+partialSuffix)
	lock := flock.New(partial) // makes it, for its owner alone
	if taken, err := lock.TryLock(); err != nil || !taken {
		return s, errors.Join(fmt.Errorf("another dump is being written to %s", partial), err)
	}
	defer func() {
		err = errors.Join(err, lock.Close())
		_ = os.Remove(partial) // gone already where all went well
	}()
	f, err := os.OpenFile(partial, os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return s, err
	}
	defer func() { _ = f.Close() }()
	if err := runPostgres(ctx, c, command.Options{Stdout: f, Stderr: out}, "pg_dump", "--format=custom"); err != nil {
		return s, err
	}
	info, err := f.Stat()
	if err == nil {
		s.Bytes = info.Size()
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(partial, path)
	}
	return s, err
}

const partialSuffix = ".partial"

// sweepPartial removes what runs that were killed have left half written.
func sweepPartial(folder string) {
	sweep(filepath.Join(folder, ".*"+partialSuffix), func(path string) { _ = os.Remove(path) })
}

// retain removes a database's oldest snapshots beyond the newest keep.
func retain(folder, database string, keep int) error {
	all, err := listSnapshots(folder)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(s Snapshot) bool { return s.Database != database })
	var errs []error
	for _, s := range all[min(keep, len(all)):] {
		errs = append(errs, os.Remove(filepath.Join(folder, s.Name())))
	}
	return errors.Join(errs...)
}

// fileVersion is a version as a part of a file's name.
func fileVersion(version string) string {
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
