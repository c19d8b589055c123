package database

import (
	"errors"
	"strings"
	"testing"

	"norn/pkg/pipeline"
)

// The error is not the last line.
func TestErrorLine(t *testing.T) {
	const said = "pg_dump: warning: old\npg_dump: error: connection failed: No such file\n\tIs the server running?\n"
	if got := errorLine(said); got != "pg_dump: error: connection failed: No such file" {
		t.Errorf("got %q", got)
	}
	if got := errorLine("killed\n"); got != "killed" {
		t.Errorf("got %q", got)
	}
}

// The error quotes pg_dump, and the hint is about what it said.
func TestSnapshotHint(t *testing.T) {
	failed := errors.New("pg_dump: exit status 1")
	for _, c := range []struct{ said, hint string }{
		{`pg_dump: error: connection to server at "db" (10.0.0.1), port 5432 failed: FATAL:  password authentication ` +
			`failed for user "app"`, "check the user and the password"},
		{`pg_dump: error: connection to server at "db", port 5432 failed: FATAL:  database "shpo" does not exist`,
			"check migrations.database"},
		{`pg_dump: error: could not translate host name "postgres" to address: Name or service not known`,
			"set NORN_PG_LOCAL_HOST"},
		{`pg_dump: error: connection to server at "127.0.0.1", port 5432 failed: Connection refused`,
			"set NORN_PG_LOCAL_HOST"},
		{`pg_dump: error: aborting because of server version mismatch`, "install pg_dump of the server's version"},
		{`pg_dump: error: query failed: ERROR:  permission denied for table orders`, "grant the user"},
		{`pg_dump: error: server does not support SSL, but SSL was required`, "check sslmode"},
		{`pg_dump: error: something new`, "fix what pg_dump reports"},
		{"", "fix what pg_dump reports"},
	} {
		err := &SnapshotError{"shop", &programError{failed, c.said}}
		if !strings.HasPrefix(err.Hint(), c.hint) || !strings.HasSuffix(err.Error(), c.said) {
			t.Errorf("%q: error %q, hint %q", c.said, err, err.Hint())
		}
	}
	usage := &SnapshotError{"shop", &pipeline.UsageError{Problem: "pg_dump is not installed", Advice: "install it"}}
	if usage.Hint() != "install it" {
		t.Errorf("hint %q", usage.Hint())
	}
}
