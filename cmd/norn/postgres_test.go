package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
)

// postgresPassword is the one in the sample app moody's encrypted DATABASE_URL.
const postgresPassword = "norn-sample-password"

// postgresServer is a PostgreSQL on the devcluster's own bridge, where the pods reach it. This machine does by its socket, in dir.
type postgresServer struct {
	t        testing.TB
	dir, bin string
}

// startPostgres starts one from Debian's packages, and makes a database.
func startPostgres(t testing.TB, database string) *postgresServer {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		t.Fatal("no PostgreSQL is installed: run make sessions")
	}
	dir, err := os.MkdirTemp("", "norn-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	p := &postgresServer{t: t, dir: dir, bin: filepath.Dir(found[len(found)-1])}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	owner, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(postgresPassword+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	p.inside("initdb", "--pgdata", p.data(), "--auth=scram-sha-256", "--pwfile", password, "--no-sync")
	if err := os.WriteFile(filepath.Join(p.data(), "pg_hba.conf"), []byte("local all all scram-sha-256\nhost all all 10.244.0.0/16 scram-sha-256\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	options := fmt.Sprintf("-c listen_addresses=10.244.0.1 -c unix_socket_directories=%s -c fsync=off -c shared_buffers=8MB", dir)
	p.inside("pg_ctl", "start", "--wait", "--pgdata", p.data(), "--log", filepath.Join(dir, "log"), "--options", options)
	t.Cleanup(func() { p.inside("pg_ctl", "stop", "--mode=immediate", "--pgdata", p.data()) })
	p.sql("postgres", "CREATE DATABASE "+database)
	p.sql(database, "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (2)")
	return p
}

func (p *postgresServer) data() string { return filepath.Join(p.dir, "data") }

// inside runs one of PostgreSQL's programs as its user, in the devcluster's namespaces.
func (p *postgresServer) inside(name string, args ...string) {
	p.t.Helper()
	kubeconfig := os.Getenv("NORN_TEST_KUBECONFIG")
	all := append([]string{"exec", "--dir", filepath.Dir(kubeconfig), "--", "setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", filepath.Join(p.bin, name)}, args...)
	cmd := exec.Command(filepath.Join(filepath.Dir(os.Getenv("NORN_TEST_KUBECTL")), "devcluster"), all...)
	log, err := os.Create(filepath.Join(p.dir, name+".out")) // no pipe, which the server would keep open
	if err != nil {
		p.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	err = cmd.Run()
	_ = log.Close()
	if err != nil {
		said, _ := os.ReadFile(log.Name())
		p.t.Fatalf("%s: %v\n%s", name, err, said)
	}
}

// sql runs a statement and returns what it answers.
func (p *postgresServer) sql(database, statement string) string {
	p.t.Helper()
	cmd := exec.Command("psql", "-h", p.dir, "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-At", "-c", statement)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+postgresPassword)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", statement, err, out)
	}
	return string(out)
}
