// Package log takes the logger of a client that logs nothing.
package log

import "log/slog"

// SetDefault does nothing.
func SetDefault(*slog.Logger) {}
