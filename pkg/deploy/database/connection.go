// Package database dumps and restores an app's PostgreSQL database from this machine, and keeps the dumps. It knows no
// Kubernetes.
package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode"

	"norn/internal/command"
	"norn/pkg/pipeline"
)

// Settings describe how this machine reaches the apps' databases.
type Settings struct {
	LocalHost  string // where this machine does not reach the host that the pods do; a folder is that of a socket
	Host, User string // of apps whose env and secrets have no DATABASE_URL; "" is libpq's default
}

// Connection holds libpq's parameters (postgresql.org: libpq, Parameter Key Words).
type Connection map[string]string

// ConnectionTo returns the connection to a database by the app's DATABASE_URL, or by the settings alone if that is not a URL of
// PostgreSQL.
func ConnectionTo(database, address string, settings Settings) (Connection, error) {
	c := Connection{}
	if u, err := url.Parse(address); err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") {
		c["host"], c["port"], c["user"] = u.Hostname(), u.Port(), u.User.Username()
		c["password"], _ = u.User.Password()
		for name, values := range u.Query() {
			c[name] = values[0]
		}
	}
	c["host"] = cmp.Or(settings.LocalHost, c["host"], settings.Host)
	c["user"] = cmp.Or(c["user"], settings.User)
	c["dbname"] = database
	maps.DeleteFunc(c, func(_, v string) bool { return v == "" })
	for name, value := range c {
		if strings.ContainsFunc(name+value, unicode.IsControl) {
			return nil, fmt.Errorf("DATABASE_URL's %q has a character that no connection can have", name)
		}
	}
	return c, nil
}

// serviceFile are the parameters as libpq reads them (postgresql.org: The Connection Service File).
func (c Connection) serviceFile() string {
	var b strings.Builder
	b.WriteString("[norn]\n")
	for _, name := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, "%s=%s\n", name, c[name])
	}
	return b.String()
}

// runPostgres runs one of PostgreSQL's programs on a database. The parameters, the password among them, reach it through a
// pipe that libpq reads as its service file: they are on no disk, in no argument list and in no environment.
func runPostgres(ctx context.Context, c Connection, o command.Options, name string, args ...string) error {
	if !command.Installed(name) {
		return &pipeline.UsageError{Problem: name + " is not installed", Advice: "it is in PostgreSQL's client package (postgresql-client)"}
	}
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe for %s: %w", name, err)
	}
	defer func() { _ = read.Close() }()
	_, err = io.WriteString(write, c.serviceFile()) // less than a pipe holds
	if err = errors.Join(err, write.Close()); err != nil {
		return fmt.Errorf("tell %s its connection: %w", name, err)
	}
	o.Files = []*os.File{read}
	o.Env = append(o.Env, "PGSERVICEFILE=/dev/fd/3")
	return command.RunWith(ctx, o, name, append([]string{"--no-password", "--dbname=service=norn"}, args...)...)
}
