package bed

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// app NAME copies a sample app to ./NAME and makes it a git repository with one commit.
func (s *scripts) app(ts *testscript.TestScript, _ bool, args []string) {
	usage(ts, len(args) == 1, "app NAME")
	dir := ts.MkAbs(args[0])
	ts.Check(copyApp(s.root, s.binaries, args[0], dir))
	for _, line := range []string{"init -q", "add -A", "commit -q -m first"} {
		ts.Check(ts.Exec("git", append([]string{"-C", dir}, strings.Fields(line)...)...))
	}
}

// image APP [TAG MOOD] pushes the image of a sample app to the cluster's registry and sets $IMAGE to its reference by
// digest. The image of moody has the mood serve unless another is given.
func (s *scripts) image(ts *testscript.TestScript, _ bool, args []string) {
	usage(ts, len(args) == 1 || len(args) == 3, "image APP [TAG MOOD]")
	program, err := os.ReadFile(filepath.Join(s.binaries, args[0]))
	ts.Check(err)
	tag, mood := "", "serve"
	if len(args) > 1 {
		tag, mood = args[1], args[2]
	}
	ref, err := s.cluster.push(args[0], tag, map[string]string{args[0]: string(program), "mood.txt": mood + "\n"})
	ts.Check(err)
	ts.Setenv("IMAGE", ref)
}

// mood MOOD commits a new mood of the sample app moody.
func mood(ts *testscript.TestScript, _ bool, args []string) {
	usage(ts, len(args) == 1, "mood MOOD")
	ts.Check(os.WriteFile(ts.MkAbs("mood.txt"), []byte(args[0]+"\n"), 0o644))
	ts.Check(ts.Exec("git", "commit", "-q", "--allow-empty", "-am", args[0]))
}

// exits CODE COMMAND… runs a command and checks its exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	usage(ts, len(args) > 1, "exits CODE COMMAND…")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// jsonlines DEFINITION FILE checks that a file is not empty, and that each line is a JSON object that is valid for a
// definition of docs/json.schema.json, such as norn-deploy.
func (s *scripts) jsonlines(ts *testscript.TestScript, _ bool, args []string) {
	usage(ts, len(args) == 2, "jsonlines DEFINITION FILE")
	schema, err := JSONSchema(s.root, args[0])
	ts.Check(err)
	if err := ValidLines(schema, ts.ReadFile(args[1])); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

// waitfor FILE COUNT PATTERN waits until a pattern matches COUNT times in a growing file.
func waitfor(ts *testscript.TestScript, _ bool, args []string) {
	usage(ts, len(args) == 3, "waitfor FILE COUNT PATTERN")
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	pattern, err := regexp.Compile(args[2])
	ts.Check(err)
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(20 * time.Millisecond) {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if found := pattern.FindAll(data, -1); err == nil && len(found) >= want {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s: no %d matches of %q within %s:\n%s", args[0], want, args[2], scriptPatience, data)
		}
	}
}

// scriptPatience is how long a script waits for a condition, also on a machine that is busy with others.
const scriptPatience = 3 * time.Minute

// until PATTERN COMMAND… repeats a command until it succeeds and its output matches.
func until(ts *testscript.TestScript, _ bool, args []string) {
	usage(ts, len(args) > 1, "until PATTERN COMMAND…")
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	pause := 100 * time.Millisecond
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(pause) {
		pause = min(2*pause, time.Second) // the start of a command may take longer than it waits
		err := ts.Exec(args[1], args[2:]...)
		if err == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("the output did not match %q within %s: %v", args[0], scriptPatience, err)
		}
	}
}

// get SERVICE sends a request to the app behind a Service, through the API server's proxy, and writes the answer to
// stdout. A Pod is available a moment before the Service has its address, so get repeats a request that fails.
func get(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1, "get SERVICE")
	path := "/api/v1/namespaces/" + ts.Getenv("NAMESPACE") + "/services/" + args[0] + ":80/proxy/"
	deadline := time.Now().Add(scriptPatience)
	err := ts.Exec("kubectl", "get", "--raw", path)
	for err != nil && !neg && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond)
		err = ts.Exec("kubectl", "get", "--raw", path)
	}
	if (err != nil) != neg {
		ts.Fatalf("get %s: %v", args[0], err)
	}
}

// written KINDS writes to stdout what norn and kubectl have written to the objects of these kinds: the same twice means
// that neither has written in between. A resourceVersion would not tell, because controllers change objects too.
func written(ts *testscript.TestScript, _ bool, args []string) {
	usage(ts, len(args) == 1, "written KINDS")
	ours := `.items[] | .kind, .metadata.uid, (.metadata.managedFields[] | select(.manager | test("^(norn|kubectl)")))`
	ts.Check(ts.Exec("sh", "-c", `kubectl -n "$NAMESPACE" get "$1" -o json --show-managed-fields | jq -c "$2"`,
		"written", args[0], ours))
}

// poll start SERVICE | poll stop: every request in between must succeed.
func (s *scripts) poll(ts *testscript.TestScript, _ bool, args []string) {
	namespace := ts.Getenv("NAMESPACE")
	if len(args) == 2 && args[0] == "start" {
		p, err := s.cluster.Poll(namespace, args[1])
		ts.Check(err)
		ts.Defer(p.stop)
		s.pollers.Store(namespace, p)
		return
	}
	usage(ts, len(args) == 1 && args[0] == "stop", "poll start SERVICE | poll stop")
	p, ok := s.pollers.Load(namespace)
	if !ok {
		ts.Fatalf("poll was not started")
	}
	sent, failed := p.(*Poller).Stop()
	ts.Logf("%d requests, %d failed", sent, len(failed))
	if sent < 20 || len(failed) > 0 {
		ts.Fatalf("%d requests, %d failed: %v", sent, len(failed), failed[:min(len(failed), 5)])
	}
}

// calls COUNT COMMAND… runs a command and checks the number of its requests to the API server.
func (s *scripts) calls(ts *testscript.TestScript, _ bool, args []string) {
	usage(ts, len(args) > 1, "calls COUNT COMMAND…")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var mu sync.Mutex
	var made []string
	proxy, err := NewAPIProxy(s.cluster.Kubeconfig, ts.Getenv("WORK"), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			made = append(made, r.Method+" "+r.URL.Path)
			mu.Unlock()
			next.ServeHTTP(w, r)
		})
	})
	ts.Check(err)
	defer proxy.Close()
	before := ts.Getenv("KUBECONFIG")
	ts.Setenv("KUBECONFIG", proxy.Kubeconfig)
	defer ts.Setenv("KUBECONFIG", before)
	ts.Check(ts.Exec(args[1], args[2:]...))
	if len(made) != want {
		ts.Fatalf("%d calls, want %d:\n%s", len(made), want, strings.Join(made, "\n"))
	}
}

// locked-registry starts a proxy that requires a login for the cluster's registry. It writes docker's configuration
// with the login to ../config.json.
func (s *scripts) lockedRegistry(ts *testscript.TestScript, _ bool, _ []string) {
	next := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.cluster.Registry})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "canary-password" {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	}))
	ts.Defer(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	ts.Setenv("NORN_REGISTRY_URL", host)
	login := base64.StdEncoding.EncodeToString([]byte("me:canary-password"))
	ts.Check(os.WriteFile(ts.MkAbs("../config.json"), fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, host, login), 0o600))
}

// postgres FILE starts a PostgreSQL server with a database shop, and writes its URL for pods to a file.
func (s *scripts) postgres(ts *testscript.TestScript, _ bool, args []string) {
	usage(ts, len(args) == 1, "postgres FILE")
	database := s.cluster.StartPostgres(s.t, "shop")
	s.databases.Store(ts.Getenv("NAMESPACE"), database)
	ts.Setenv("NORN_PG_LOCAL_HOST", database.Host)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(database.URL("shop")+"\n"), 0o600))
}

// sql STATEMENT [WANT] runs a statement in database shop and checks its answer.
func (s *scripts) sql(ts *testscript.TestScript, _ bool, args []string) {
	usage(ts, len(args) == 1 || len(args) == 2, "sql STATEMENT [WANT]")
	database, ok := s.databases.Load(ts.Getenv("NAMESPACE"))
	if !ok {
		ts.Fatalf("postgres was not started")
	}
	if got := database.(*Postgres).SQL("shop", args[0]); len(args) > 1 && got != args[1] {
		ts.Fatalf("%s: %q, want %q", args[0], got, args[1])
	}
}

// usage ends the script unless ok is true.
func usage(ts *testscript.TestScript, ok bool, text string) {
	if !ok {
		ts.Fatalf("usage: %s", text)
	}
}
