package run

import (
	"io"
	"os"
)

// hasInput reports whether standard input, which the command does not get, has data: a file that is not empty, or a
// pipe with data. It reads nothing, because a shell loop may read the same file.
func hasInput(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return false
	case info.Mode().IsRegular():
		at, err := f.Seek(0, io.SeekCurrent)
		return err == nil && at < info.Size()
	case info.Mode()&os.ModeNamedPipe != 0:
		return hasUnread(f)
	}
	return false
}
