package database

import (
	"context"
	"io"

	"norn/internal/command"
)

// Restore restores a database from a dump, in one transaction.
func Restore(ctx context.Context, c Connection, out io.Writer, path string) error {
	return runPostgres(ctx, c, command.Options{Stdout: out, Stderr: out}, "pg_restore",
		"--clean", "--if-exists", "--single-transaction", "--exit-on-error", path)
}
