package bed

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// PostgresPassword is the password of user postgres, which norn must not print.
const PostgresPassword = "norn-sample-password"

// The address of the node, at which Pods reach the server, and the range of the Pods' addresses.
const nodeAddress, podAddresses = "10.245.0.2", "10.244.0.0/16"

// Postgres is a PostgreSQL server on a cluster's node.
type Postgres struct {
	Host string // the folder of its socket, for connections from this machine

	t       testing.TB
	cluster *Cluster
	bin     string
	port    int
}

// StartPostgres starts a server from Debian's packages with a database. The server stops when the test ends.
func (c *Cluster) StartPostgres(tb testing.TB, database string) *Postgres {
	tb.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		tb.Fatal("PostgreSQL is not installed: run hack/test")
	}
	dir, err := os.MkdirTemp("", "norn-postgres-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &Postgres{Host: dir, t: tb, cluster: c, bin: filepath.Dir(found[len(found)-1])}
	p.own(dir)
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(PostgresPassword+"\n"), 0o644); err != nil {
		tb.Fatal(err)
	}
	p.inside("initdb", "--pgdata", p.data(), "--auth=scram-sha-256", "--pwfile", password, "--no-sync")
	const access = "local all all scram-sha-256\nhost all all " + podAddresses + " scram-sha-256\n"
	if err := os.WriteFile(filepath.Join(p.data(), "pg_hba.conf"), []byte(access), 0o644); err != nil {
		tb.Fatal(err)
	}
	p.listen()
	tb.Cleanup(func() { p.inside("pg_ctl", "stop", "--mode=immediate", "--pgdata", p.data()) })
	p.SQL("postgres", "CREATE DATABASE "+database)
	p.SQL(database, "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (2)")
	return p
}

// URL returns the URL of a database for pods.
func (p *Postgres) URL(database string) string {
	return fmt.Sprintf("postgres://postgres:%s@%s:%d/%s", PostgresPassword, nodeAddress, p.port, database)
}

// listen starts the server on a free port, because servers of other packages may run on the same node.
func (p *Postgres) listen() {
	p.t.Helper()
	log := filepath.Join(p.Host, "log")
	var err error
	for range 5 {
		p.port = 20_000 + rand.IntN(10_000) // below the ephemeral ports
		options := fmt.Sprintf("-c listen_addresses=%s -c port=%d -c unix_socket_directories=%s %s",
			nodeAddress, p.port, p.Host, "-c fsync=off -c shared_buffers=8MB")
		err = p.try("pg_ctl", "start", "--wait", "--pgdata", p.data(), "--log", log, "--options", options)
		if err == nil {
			return
		}
	}
	text, _ := os.ReadFile(log)
	p.t.Fatalf("%v\n%s", err, text)
}

// SQL runs a statement and returns the answer.
func (p *Postgres) SQL(database, statement string) string {
	p.t.Helper()
	cmd := exec.Command("psql", "-h", p.Host, "-p", strconv.Itoa(p.port), "-U", "postgres", "-d", database,
		"-v", "ON_ERROR_STOP=1", "-At", "-c", statement)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+PostgresPassword)
	return strings.TrimSpace(Run(p.t, cmd))
}

func (p *Postgres) data() string { return filepath.Join(p.Host, "data") }

// own makes the server's user the owner of a folder.
func (p *Postgres) own(dir string) {
	p.t.Helper()
	owner, err := user.Lookup("postgres")
	if err != nil {
		p.t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		p.t.Fatal(err)
	}
}

// inside runs one of PostgreSQL's programs on the node. A failure ends the test.
func (p *Postgres) inside(name string, args ...string) {
	p.t.Helper()
	if err := p.try(name, args...); err != nil {
		p.t.Fatal(err)
	}
}

// try runs one of PostgreSQL's programs as its user on the node.
func (p *Postgres) try(name string, args ...string) error {
	p.t.Helper()
	user := []string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}
	cmd := p.cluster.Exec(p.t, append(append(user, filepath.Join(p.bin, name)), args...)...)
	log, err := os.Create(filepath.Join(p.Host, name+".out")) // not a pipe, which the server would keep open
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	err = cmd.Run()
	_ = log.Close()
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", name, err, text)
	}
	return nil
}
