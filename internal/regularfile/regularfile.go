// Package regularfile reads files that others may have made, such as those of a cloned repository. It neither waits for
// a pipe, nor opens a device, nor reads without a limit.
package regularfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// MaxText is far above the size of any file that people write, in bytes.
const MaxText = 1 << 20

// ErrNotRegular reports a folder, a named pipe, a socket or a device.
var ErrNotRegular = errors.New("not a regular file")

// Read returns the content of the regular file at path, which may be reached by symbolic links. A file of more than
// limit bytes is an error. All errors are *fs.PathError.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %s", size(limit))}
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Open opens the regular file at path for reading. All errors are *fs.PathError.
func Open(path string) (*os.File, error) {
	// Opening a device can have effects, and opening a socket is an error that says less.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, notRegular(path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat() // the file may have been replaced in between
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(path)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func notRegular(path string) error {
	return &fs.PathError{Op: "read", Path: path, Err: ErrNotRegular}
}

// size prints a limit.
func size(limit int64) string {
	switch {
	case limit >= 1<<20 && limit%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", limit>>20)
	case limit >= 1<<10 && limit%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", limit>>10)
	}
	return fmt.Sprintf("%d bytes", limit)
}
