package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"norn/internal/command"
	"norn/internal/folder"
)

// Dump writes a database to a file in dir and returns s with its size. The file appears only once it is complete.
func Dump(ctx context.Context, c Connection, dir string, s Snapshot, out io.Writer) (made Snapshot, err error) {
	if name := s.Name(); filepath.Base(name) != name {
		return s, fmt.Errorf("invalid snapshot name %q: it contains a path separator", name)
	}
	if err := folder.MakePrivate(dir); err != nil {
		return s, err
	}
	removeAbandoned(dir)
	path := filepath.Join(dir, s.Name())
	partial := filepath.Join(dir, "."+s.Name()+partialSuffix)
	lock := flock.New(partial) // creates the file with mode 0600
	if locked, err := lock.TryLock(); err != nil || !locked {
		return s, errors.Join(fmt.Errorf("another snapshot is being written to %s", partial), err)
	}
	defer func() {
		err = errors.Join(err, lock.Close())
		_ = os.Remove(partial) // already renamed on success
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

// removeAbandoned removes the incomplete dumps of killed runs.
func removeAbandoned(dir string) {
	folder.Sweep(filepath.Join(dir, ".*"+partialSuffix), func(path string) { _ = os.Remove(path) })
}
