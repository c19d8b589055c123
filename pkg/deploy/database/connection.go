// Package database dumps and restores an app's PostgreSQL database from this machine, and keeps the dumps. It makes no
// calls to Kubernetes.
package database

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"

	"norn/internal/command"
	"norn/pkg/pipeline"
)

// Settings describe how this machine reaches the apps' databases.
type Settings struct {
	LocalHost  string // replaces the host that the pods use, if set; may be the folder of a Unix socket
	Host, User string // for apps without a DATABASE_URL in env or secrets; "" is libpq's default
}

// Connection holds libpq's parameters (postgresql.org: libpq, Parameter Key Words).
type Connection map[string]string

// ConnectionTo returns the connection to database: by address, the app's DATABASE_URL, or by the settings if the app
// has none. An address that norn cannot read is an error: another host may have a database of the same name.
func ConnectionTo(database, address string, settings Settings) (Connection, error) {
	c := Connection{}
	if address != "" {
		var err error
		if c, err = parseAddress(address); err != nil {
			return nil, err
		}
	}
	if settings.LocalHost != "" { // replaces all hosts, and what else leads to them
		delete(c, "hostaddr")
		c["port"], _, _ = strings.Cut(c["port"], ",")
	}
	c["host"] = cmp.Or(settings.LocalHost, c["host"], settings.Host)
	c["user"] = cmp.Or(c["user"], settings.User)
	c["dbname"] = database
	maps.DeleteFunc(c, func(_, v string) bool { return v == "" })
	for name, value := range c {
		if strings.ContainsFunc(value, unicode.IsControl) {
			return nil, notUnderstood("%s contains a control character", name)
		}
		if strings.TrimSpace(value) != value { // libpq drops it from a line of a service file
			return nil, notUnderstood("%s begins or ends with a space", name)
		}
	}
	return c, nil
}

// Server returns the server's host and port, for people.
func (c Connection) Server() string {
	host := cmp.Or(c["host"], c["hostaddr"], "libpq's default host")
	if c["port"] != "" {
		host += ", port " + c["port"]
	}
	return host
}

// serviceFile returns the parameters in libpq's file format (postgresql.org: The Connection Service File).
func (c Connection) serviceFile() string {
	var b strings.Builder
	b.WriteString("[norn]\n")
	for _, name := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, "%s=%s\n", name, c[name])
	}
	return b.String()
}

// runPostgres runs a PostgreSQL program on a database. It passes the parameters, including the password, through a pipe
// that libpq reads as its service file. They never appear on disk, in an argument list or in an environment.
func runPostgres(ctx context.Context, c Connection, o command.Options, name string, args ...string) error {
	if !command.Installed(name) {
		return &pipeline.UsageError{
			Problem: name + " is not installed",
			Advice:  "install PostgreSQL's client programs (package postgresql-client)",
		}
	}
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("create a pipe for %s: %w", name, err)
	}
	written := make(chan struct{})
	go func() { // a long address does not fit into the pipe's buffer
		defer close(written)
		_, _ = io.WriteString(write, c.serviceFile()) // without it, the program fails and says so
		_ = write.Close()
	}()
	defer func() { _ = read.Close(); <-written }() // closing ends the write if the program has not read everything
	var said strings.Builder
	o.Stderr = io.MultiWriter(o.Stderr, &said)
	o.Files = []*os.File{read}
	o.Env = append(o.Env, "PGSERVICEFILE=/dev/fd/3")
	err = command.RunWith(ctx, o, name, append([]string{"--no-password", "--dbname=service=norn"}, args...)...)
	if err != nil && ctx.Err() == nil {
		return &programError{err, errorLine(said.String())}
	}
	return err
}
