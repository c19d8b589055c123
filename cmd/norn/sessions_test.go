package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
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
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if paths := os.Getenv(copiesOf); paths != "" {
		if err := copies(paths, os.Getenv("KUBECONFIG")); err != nil {
			log.Fatal(err)
		}
		return
	}
	if filepath.Base(os.Args[0]) != "norn" { // which a session may want to see them
		for _, name := range []string{"CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_STEP_SUMMARY"} { // norn's output goes by them
			_ = os.Unsetenv(name)
		}
	}
	testscript.Main(m, map[string]func(){"norn": main, "play": playPage})
}

// TestSessions runs testdata/script against the devcluster that hack/sessions starts, each script in a namespace of its own.
func TestSessions(t *testing.T) {
	kubeconfig := os.Getenv("NORN_TEST_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("no devcluster: run make sessions")
	}
	cluster := &sessionCluster{
		t:          t,
		kubeconfig: kubeconfig,
		kubectl:    os.Getenv("NORN_TEST_KUBECTL"),
		registry:   os.Getenv("NORN_TEST_REGISTRY"),
		binaries:   os.Getenv("NORN_TEST_BINARIES"),
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               cluster.setup,
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"app":             cluster.app,
			"get":             get,
			"exits":           exits,
			"jsonlines":       jsonlines,
			"waitfor":         waitfor,
			"calls":           cluster.calls,
			"poll":            cluster.poll,
			"mood":            mood,
			"locked-registry": cluster.lockedRegistry,
			"postgres":        cluster.startPostgres,
			"sql":             cluster.sql,
		},
	})
}

// TestOffline runs testdata/offline, the sessions that need no cluster, in a home folder of their own.
func TestOffline(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/offline",
		Setup: func(env *testscript.Env) error {
			for _, kv := range [][2]string{{"HOME", env.WorkDir}, {"KUBECONFIG", ""}, {"NORN_APPS_DIR", filepath.Join(env.WorkDir, "apps")}} {
				env.Setenv(kv[0], kv[1])
			}
			if err := os.MkdirAll(filepath.Join(env.WorkDir, "apps"), 0o755); err != nil {
				return err
			}
			env.Cd = filepath.Join(env.WorkDir, "apps")
			return nil
		},
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "jsonlines": jsonlines},
	})
}

type sessionCluster struct {
	kubeconfig, kubectl, registry, binaries string
	pollers                                 sync.Map // by namespace

	t        *testing.T
	postgres sync.Once
	server   *postgresServer
}

// setup gives a script a namespace, and an environment in which norn finds the cluster and a builder without an engine.
func (c *sessionCluster) setup(env *testscript.Env) error {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	suffix := make([]byte, 4)
	if _, err := rand.Read(suffix); err != nil {
		return err
	}
	ns := "session-" + hex.EncodeToString(suffix)
	kubectl := func(args ...string) error {
		cmd := exec.Command(c.kubectl, append([]string{"--kubeconfig", c.kubeconfig}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return errors.New(string(out))
		}
		return nil
	}
	if err := kubectl("create", "namespace", ns); err != nil {
		return err
	}
	env.Defer(func() {
		if err := kubectl("delete", "namespace", ns, "--wait=false"); err != nil {
			env.T().Log(err)
		}
	})
	store, err := imageStore()
	if err != nil {
		return err
	}
	env.Defer(func() { _ = os.RemoveAll(filepath.Dir(store)) })
	for _, kv := range [][2]string{
		{"KUBECONFIG", c.kubeconfig},
		{"NAMESPACE", ns},
		{"REPOSITORY", root},
		{"NORN_NAMESPACE", ns},
		{"NORN_REGISTRY_URL", c.registry},
		{"NORN_APPS_DIR", env.WorkDir},
		{"NORN_BINARY", os.Getenv("NORN_TEST_NORN")},
		{"SOPS_AGE_KEY_FILE", filepath.Join(env.WorkDir, "hello", "test-key.txt")},
		{"HOME", env.WorkDir},
		{"GOCACHE", goCache()},
		{"NORN_BUILDER", "buildah"},
		{"BUILDAH_ISOLATION", "chroot"},
		{"STORAGE_DRIVER", "vfs"},
		{"CONTAINERS_STORAGE_CONF", store},
		{"GIT_CONFIG_COUNT", "2"},
		{"GIT_CONFIG_KEY_0", "user.name"}, {"GIT_CONFIG_VALUE_0", "test"},
		{"GIT_CONFIG_KEY_1", "user.email"}, {"GIT_CONFIG_VALUE_1", "test@localhost"},
		{"DEVCLUSTER_DIR", filepath.Dir(c.kubeconfig)},
		{"PATH", filepath.Dir(c.kubectl) + string(filepath.ListSeparator) + env.Getenv("PATH")},
	} {
		env.Setenv(kv[0], kv[1])
	}
	return nil
}

// imageStore is the configuration of a new store of images (containers-storage.conf(5)): two builders in one may delete each other's layers.
func imageStore() (string, error) {
	dir, err := os.MkdirTemp("", "norn-images-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "storage.conf")
	text := fmt.Sprintf("[storage]\ndriver = \"vfs\"\nrunroot = %q\ngraphroot = %q\n", filepath.Join(dir, "run"), filepath.Join(dir, "graph"))
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// goCache is Go's build cache, for a script that compiles with a home of its own.
func goCache() string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// app NAME puts a sample app into ./NAME, in a git repository with one commit.
func (c *sessionCluster) app(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: app NAME")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.CopyFS(dir, os.DirFS(filepath.Join(repository(ts), "testdata", "apps", args[0]))))
	data, err := os.ReadFile(filepath.Join(c.binaries, args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(dir, args[0]), data, 0o755))
	for _, line := range []string{"init -q", "add -A", "commit -q -m first"} {
		ts.Check(ts.Exec("git", append([]string{"-C", dir}, strings.Fields(line)...)...))
	}
}

// mood MOOD commits another mood of the sample app moody.
func mood(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs("mood.txt"), []byte(args[0]+"\n"), 0o644))
	ts.Check(ts.Exec("git", "commit", "-q", "--allow-empty", "-am", args[0]))
}

// lockedRegistry puts a login before the devcluster's registry, and docker's configuration for it into config.json.
func (c *sessionCluster) lockedRegistry(ts *testscript.TestScript, _ bool, _ []string) {
	next := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: c.registry})
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

// postgres starts a PostgreSQL with a database shop that the pods reach, and norn too.
func (c *sessionCluster) startPostgres(ts *testscript.TestScript, _ bool, _ []string) {
	c.postgres.Do(func() { c.server = startPostgres(c.t, "shop") })
	ts.Setenv("NORN_PG_LOCAL_HOST", c.server.dir)
}

// sql STATEMENT WANT checks what a statement answers in database shop.
func (c *sessionCluster) sql(ts *testscript.TestScript, _ bool, args []string) {
	if got := strings.TrimSpace(c.server.sql("shop", args[0])); len(args) > 1 && got != args[1] {
		ts.Fatalf("%s: %q, want %q", args[0], got, args[1])
	}
}

// repository is the root of norn's own source.
func repository(ts *testscript.TestScript) string {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	ts.Check(err)
	return root
}

// get SERVICE asks the app behind a Service through the API server's proxy; the answer is on stdout.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: get SERVICE")
	}
	err := ts.Exec("kubectl", "get", "--raw", "/api/v1/namespaces/"+ts.Getenv("NAMESPACE")+"/services/"+args[0]+":80/proxy/")
	if (err != nil) != neg {
		ts.Fatalf("get %s: %v", args[0], err)
	}
}

// waitfor FILE COUNT PATTERN waits until COUNT lines of a file that something writes match.
func waitfor(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	pattern, err := regexp.Compile(args[2])
	ts.Check(err)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if found := pattern.FindAll(data, -1); err == nil && len(found) >= want {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never had %d of %q:\n%s", args[0], want, args[2], data)
		}
	}
}

// calls COUNT COMMAND… runs a command and checks how many requests it makes to the API server.
func (c *sessionCluster) calls(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var mu sync.Mutex
	var made []string
	proxy, err := newAPIProxy(c.kubeconfig, ts.Getenv("WORK"), func(next http.Handler) http.Handler {
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

// exits CODE COMMAND… runs a command and checks its exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
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
