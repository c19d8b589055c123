package deploy

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
)

// Database says how this machine reaches the apps' databases.
type Database struct {
	LocalHost  string // where this machine does not reach the host that the pods do; a folder is that of a socket
	Host, User string // of apps whose env and secrets have no DATABASE_URL; "" is libpq's default
}

// connection are libpq's parameters (postgresql.org: libpq, Parameter Key Words).
type connection map[string]string

// connectionTo makes the connection to a database from the app's DATABASE_URL, or where that is none of PostgreSQL's, from the
// settings alone.
func connectionTo(database, address string, settings Database) (connection, error) {
	c := connection{}
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
func (c connection) serviceFile() string {
	var b strings.Builder
	b.WriteString("[norn]\n")
	for _, name := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, "%s=%s\n", name, c[name])
	}
	return b.String()
}

// runPostgres runs one of PostgreSQL's programs on a database. The parameters, the password among them, reach it through a
// pipe that libpq reads as its service file: they are on no disk, in no argument list and in no environment.
func runPostgres(ctx context.Context, c connection, o command.Options, name string, args ...string) error {
	if !command.Installed(name) {
		return &UsageError{name + " is not installed", "it is in PostgreSQL's client package (postgresql-client)"}
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
