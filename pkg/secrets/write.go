package secrets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"norn/internal/atomicfile"
)

// writeFile replaces the file at path atomically and keeps its mode.
func writeFile(path string, text []byte) error {
	mode := fs.FileMode(0o644) // it is encrypted, and meant for the repository
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	if err := atomicfile.Replace(path, mode, text); err != nil {
		return fmt.Errorf("write the secrets: %w", err)
	}
	return nil
}

// lock tries every lockPause, and gives up after lockTimeout.
const (
	lockPause   = 20 * time.Millisecond
	lockTimeout = 10 * time.Second
)

// lock keeps other norn processes from writing the file at path. It locks the file's folder, so no lock file remains,
// and the lock ends with the process. On timeout, it returns a *HeldError.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("lock the secrets: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
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
