package regularfile

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReadInside returns the content of the regular file at the relative path name in a folder. Unlike Read, it follows no
// symbolic link that leads out of the folder. A file of more than limit bytes is an error.
func ReadInside(folder, name string, limit int64) ([]byte, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	if info, err := root.Stat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, notRegular(name)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() { // the file may have been replaced in between
		return nil, notRegular(name)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("larger than %s", size(limit))}
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}
