package database

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"norn/internal/command"
	"norn/pkg/pipeline"
)

// SnapshotError reports that the dump before a migration failed. The migration did not start.
type SnapshotError struct {
	Database string
	Err      error
}

// Error names the database and the cause.
func (e *SnapshotError) Error() string {
	return fmt.Sprintf("dump database %s: %v", e.Database, e.Err)
}

// Unwrap returns the cause.
func (e *SnapshotError) Unwrap() error { return e.Err }

// Hint returns what to do about what pg_dump said.
func (e *SnapshotError) Hint() string {
	if usage, ok := errors.AsType[*pipeline.UsageError](e.Err); ok {
		return usage.Advice
	}
	if failed, ok := errors.AsType[*programError](e.Err); ok {
		for _, h := range hints {
			if h.said.MatchString(failed.said) {
				return h.advice
			}
		}
	}
	return "fix what pg_dump reports, or skip the snapshot with --skip-snapshot"
}

// errorLine returns the line with the error in a PostgreSQL program's output, or the last line. Details and hints
// follow the error.
func errorLine(text string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, ": error: ") {
			return strings.TrimSpace(line)
		}
	}
	return strings.TrimSpace(command.LastLine(text))
}

// programError adds what a PostgreSQL program said to how it ended.
type programError struct {
	err  error
	said string
}

func (e *programError) Error() string {
	if e.said == "" {
		return e.err.Error()
	}
	return fmt.Sprintf("%v: %s", e.err, e.said)
}

func (e *programError) Unwrap() error { return e.err }

// hints are what to do, by the messages of PostgreSQL's server and client (postgresql.org: src/backend/libpq/auth.c,
// src/interfaces/libpq/fe-connect.c, src/bin/pg_dump).
var hints = []struct {
	said   *regexp.Regexp
	advice string
}{
	{regexp.MustCompile(`server version mismatch|server version: `),
		"install pg_dump of the server's version or a newer one"},
	{regexp.MustCompile(`password authentication failed|no password supplied|role "[^"]*" does not exist|` +
		`no pg_hba.conf entry`),
		"check the user and the password in DATABASE_URL, and whether the server accepts them from this machine"},
	{regexp.MustCompile(`database "[^"]*" does not exist`),
		"check migrations.database in the infraspec: it must be the name on the server"},
	{regexp.MustCompile(`permission denied`), "grant the user in DATABASE_URL the right to read all tables"},
	{regexp.MustCompile(`SSL|certificate`), "check sslmode and the certificates in DATABASE_URL"},
	{regexp.MustCompile(`could not translate host name|[Cc]onnection refused|timeout expired|timed out|` +
		`No such file or directory|could not connect|No route to host|is unreachable`),
		"set NORN_PG_LOCAL_HOST if this machine reaches the database under a different name than the Pods, " +
			"or skip the snapshot with --skip-snapshot"},
}
