package secrets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// writeFile puts text in place of the file at path in one piece, and keeps its mode. It is on the disk when this returns.
func writeFile(path string, text []byte) error {
	mode := fs.FileMode(0o644) // it is encrypted, and meant for the repository
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	err := place(path, mode, text, os.Rename)
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write the secrets: %w", err)
	}
	return nil
}

// place writes text into a file beside path and, when it is on the disk, moves it there.
func place(path string, mode fs.FileMode, text []byte, move func(from, to string) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(text)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = move(tmp.Name(), path)
	}
	return err
}

// syncDir makes a rename in dir outlast a power cut, where the file system can.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}

// A lock is asked for again after lockPause, and for lockPatience in all.
const (
	lockPause    = 20 * time.Millisecond
	lockPatience = 10 * time.Second
)

// lock keeps other norns from writing the file at path. It is on the file's folder, so that nothing is left behind, and ends with the process.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("lock the secrets: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		held, err := tryLock(dir)
		if !held || err != nil {
			return func() { _ = dir.Close() }, err
		}
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			_ = dir.Close()
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil, &HeldError{path}
			}
			return nil, fmt.Errorf("lock the secrets: %w", context.Cause(ctx))
		}
	}
}
