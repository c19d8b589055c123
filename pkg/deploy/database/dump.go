package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"norn/internal/command"
	"norn/internal/folder"
	"norn/pkg/k8s/metadata"
)

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

// Dump writes a database into a file under dir. The file appears only once it is complete.
func Dump(ctx context.Context, c Connection, dir string, s Snapshot, out io.Writer) (made Snapshot, err error) {
	if err := folder.MakePrivate(dir); err != nil {
		return s, err
	}
	sweepPartial(dir)
	path := filepath.Join(dir, s.Name())
	partial := filepath.Join(dir, "."+s.Name()+partialSuffix)
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
func sweepPartial(dir string) {
	folder.Sweep(filepath.Join(dir, ".*"+partialSuffix), func(path string) { _ = os.Remove(path) })
}

// Retain removes a database's snapshots, except for the newest keep.
func Retain(dir, database string, keep int) error {
	all, err := list(dir)
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

// FileVersion returns a version as a part of a file's name.
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

// Restore brings a database back to a dump, in one transaction: as a whole or not at all.
func Restore(ctx context.Context, c Connection, out io.Writer, path string) error {
	return runPostgres(ctx, c, command.Options{Stdout: out, Stderr: out}, "pg_restore",
		"--clean", "--if-exists", "--single-transaction", "--exit-on-error", path)
}
