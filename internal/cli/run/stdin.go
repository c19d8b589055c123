package run

import (
	"io"
	"os"
)

// input returns standard input if it is a pipe, a socket or a file, and otherwise nil. A command does not get a
// terminal. A device such as /dev/null, or a closed file descriptor, has nothing to pass.
func input(in io.Reader) io.Reader {
	f, ok := in.(*os.File)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return nil
	}
	return f
}
