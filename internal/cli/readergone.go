package cli

import (
	"errors"
	"net"
)

// ReaderGone reports whether err is a write to a pipe whose reader has gone away, because it has read enough. A
// connection to a server that breaks is a failure, although it may have the same error number.
func ReaderGone(err error) bool {
	_, connection := errors.AsType[*net.OpError](err)
	return isPipeClosed(err) && !connection
}
