// Package atomicfile writes files atomically: other processes see either the whole file or none of it.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Create writes a new file. It returns fs.ErrExist if path exists, even if it is created at the same time.
func Create(path string, mode fs.FileMode, data []byte) error {
	return write(path, mode, data, os.Link) // unlike rename, link never overwrites
}

// Replace writes the file at path and replaces an existing one. It returns once the new file is on disk.
func Replace(path string, mode fs.FileMode, data []byte) error {
	if err := write(path, mode, data, os.Rename); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// write writes data to a temporary file in path's folder, syncs it and publishes it as path.
func write(path string, mode fs.FileMode, data []byte, publish func(from, to string) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = publish(tmp.Name(), path)
	}
	return err
}

// syncDir makes a rename in dir survive a power failure, if the file system supports it.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}
