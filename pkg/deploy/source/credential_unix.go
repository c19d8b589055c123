//go:build unix

package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// serveCredential passes a token to git through a named pipe in tmp. The token never appears on disk, in an argument
// list or in an environment. serveCredential returns a value for git's credential.helper (man 7 gitcredentials) and a
// function that stops serving.
func serveCredential(tmp, token string) (helper string, stop func(), err error) {
	pipe := filepath.Join(tmp, "credential")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		return "", nil, fmt.Errorf("create a pipe for the token: %w", err)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits for a reader
			if err != nil {
				return
			}
			select {
			case <-done:
				_ = w.Close()
				return
			default:
			}
			_, _ = fmt.Fprintf(w, "username=x-access-token\npassword=%s\n", token)
			_ = w.Close()
		}
	}()
	stop = func() {
		close(done)
		if r, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil { // unblocks the writer's open
			defer func() { _ = r.Close() }()
		}
		<-ended
		_ = os.Remove(pipe)
	}
	quoted := "'" + strings.ReplaceAll(pipe, "'", `'\''`) + "'"
	return `!f() { if test "$1" = get; then cat ` + quoted + `; fi; }; f`, stop, nil
}
