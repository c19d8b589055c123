// Package interrupted cuts deploys short: killed at each write, signalled in each step, cut off from the API server.
// The same command then completes what is left.
package interrupted

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"norn/test/bed"
)

func TestMain(m *testing.M) { bed.Main(m) }

// shipping is an app with a secret and a migration, in a repository of its own.
type shipping struct {
	*bed.Workspace
	t        *testing.T
	dir, tmp string
	versions int
}

const shippedApp = `app: moody
role: worker
env: {PORT: "8080"}
secrets: [DATABASE_URL]
migrations: {command: [/moody, migrate], database: shop}
`

// newShipping makes one whose database is on the node, or which has none.
func newShipping(t *testing.T, infraspec string, database *bed.Postgres) *shipping {
	t.Helper()
	w := bed.New(t, bed.Shared(t))
	s := &shipping{Workspace: w, t: t, dir: filepath.Join(w.Home, "moody"), tmp: t.TempDir()}
	bed.CopyApp(t, "moody", s.dir)
	w.WriteApp("moody", infraspec)
	w.Env = append(bed.BuilderEnv(t), "TMPDIR="+s.tmp, "NORN_REGISTRY_URL="+w.Registry,
		"SOPS_AGE_KEY_FILE="+filepath.Join(s.dir, "test-key.txt"))
	if database != nil {
		w.Env = append(w.Env, "NORN_PG_LOCAL_HOST="+database.Host)
		set := w.Command(w.Kubeconfig, "secrets", "set", "moody", "DATABASE_URL")
		set.Stdin = strings.NewReader(database.URL("shop"))
		bed.Run(t, set)
	}
	bed.Git(t, s.dir, "init", "-q")
	s.commit("first")
	return s
}

// another makes another version and returns the arguments that ship it. It is built, or its image is in the registry
// already, which takes less time.
func (s *shipping) another(built bool) []string {
	s.t.Helper()
	s.versions++
	version := fmt.Sprintf("version %d", s.versions)
	if built {
		s.commit(version)
		return []string{"deploy", "moody"}
	}
	image := s.Image(s.t, "moody", map[string]string{"mood.txt": "serve\n", "version.txt": version + " of " + s.Namespace})
	return []string{"deploy", "moody", "--image", image}
}

// undisturbed ships two versions and returns the state after the second.
func (s *shipping) undisturbed(built bool) string {
	s.t.Helper()
	s.Norn(append(s.another(built), "--forge")...)
	s.Norn(s.another(built)...)
	return s.whole(s.t, "undisturbed")
}

// commit commits a change: an image that is built from it differs from others.
func (s *shipping) commit(message string) {
	s.t.Helper()
	bed.Commit(s.t, s.dir, message)
}

func (s *shipping) mood(text string) {
	s.t.Helper()
	bed.WriteFiles(s.t, s.dir, map[string]string{"mood.txt": text + "\n"})
	s.commit(text)
}

// version is any version's image, commit or digest.
var version12 = regexp.MustCompile(`[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{12}`)

// whole is the state without what tells versions apart, and checks that nothing is left beside it.
func (s *shipping) whole(t *testing.T, when string) string {
	t.Helper()
	if jobs := s.Kubectl("get", "jobs,leases", "-o", "name"); jobs != "" {
		t.Errorf("%s: left: %s", when, jobs)
	}
	s.nothingLeft(t, when)
	return version12.ReplaceAllString(s.State(), "VERSION")
}

func (s *shipping) nothingLeft(t *testing.T, when string) {
	t.Helper()
	if left, err := os.ReadDir(s.tmp); err != nil || len(left) > 0 {
		t.Errorf("%s: temporary files left: %v %v", when, left, err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "snapshots", ".*.partial")); len(left) > 0 {
		t.Errorf("%s: half a snapshot left: %v", when, left)
	}
}
