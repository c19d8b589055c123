package ci

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// comments is the API of a CI system that lists and adds comments of a pull request.
type comments struct {
	*httptest.Server
	mu  sync.Mutex
	all []map[string]string
}

func newComments(t *testing.T) *comments {
	c := &comments{all: []map[string]string{}}
	c.Server = httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(c.Close)
	return c
}

func (c *comments) serve(rw http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	token := r.Header.Get("PRIVATE-TOKEN") + r.Header.Get("Authorization")
	if !strings.HasSuffix(token, "canary-password") {
		http.Error(rw, "no token", http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodGet {
		_ = json.NewEncoder(rw).Encode(c.all)
		return
	}
	made := map[string]string{"body": r.PostFormValue("body")}
	if r.Header.Get("Content-Type") == "application/json" {
		_ = json.NewDecoder(r.Body).Decode(&made)
	}
	c.all = append(c.all, made)
	rw.WriteHeader(http.StatusCreated)
}

// texts returns the comments.
func (c *comments) texts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, one := range c.all {
		all = append(all, one["body"])
	}
	return all
}

// TestPreviews runs the steps of the files in docs/ci that make and end a preview of a pull request.
func TestPreviews(t *testing.T) {
	for _, system := range systems() {
		t.Run(system.name, func(t *testing.T) {
			t.Parallel()
			r := newCIRun(t, system)
			app := "hello-" + map[string]string{"GitHub": "pr", "GitLab": "mr"}[system.name] + "-7"
			r.commit("infraspec.yaml", r.file(r.origin+"/infraspec.yaml")+fmt.Sprintf(
				"\nenvironments: {preview: {namespace: %s, ttl: 72h}}\n", r.namespace))
			end, prune := "end", "prune"
			if system.name == "GitLab" {
				end, prune = "end-preview", "prune-previews"
			}
			for _, r.action = range []string{"opened", "synchronize"} {
				if code := r.run("preview"); code != 0 {
					t.Fatalf("preview: exit code %d", code)
				}
			}
			if got := r.comments.texts(); len(got) != 1 || !strings.Contains(got[0], "https://"+app) {
				t.Errorf("comments: %q", got)
			}
			r.expect(app, "deployment", "service", "secret", "persistentvolumeclaim")
			if code := r.run(prune); code != 0 {
				t.Errorf("prune: exit code %d", code)
			}
			r.expect(app, "deployment", "service", "secret", "persistentvolumeclaim")
			if code := r.run(end); code != 0 {
				t.Errorf("end: exit code %d", code)
			}
			r.expect(app)
		})
	}
}

// expect checks the kinds of the objects of an app.
func (r *ciRun) expect(app string, kinds ...string) {
	r.t.Helper()
	out := r.cluster.Kubectl(r.t, "-n", r.namespace, "get", "deployments,services,secrets,persistentvolumeclaims",
		"-l", "app="+app, "-o", "name")
	var got []string
	for _, name := range strings.Fields(out) {
		kind, _, _ := strings.Cut(strings.Split(name, "/")[0], ".")
		got = append(got, kind)
	}
	slices.Sort(got)
	slices.Sort(kinds)
	if !slices.Equal(got, kinds) {
		r.t.Errorf("objects of %s: %q, want %q", app, got, kinds)
	}
}
