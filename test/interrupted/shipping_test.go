// Package interrupted interrupts deploys: it kills them at each write, signals them in each step, and disconnects them
// from the API server. Then the same command must complete the deploy.
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

// shipping is an app with a secret and a migration, in its own repository.
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

// newShipping creates the app. database may be nil.
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

// nextVersion creates a version and returns the arguments to deploy it. Either the deploy builds the image, or the
// image is already in the registry, which is faster.
func (s *shipping) nextVersion(built bool) []string {
	s.t.Helper()
	s.versions++
	version := fmt.Sprintf("version %d", s.versions)
	if built {
		s.commit(version)
		return []string{"deploy", "moody"}
	}
	files := map[string]string{"mood.txt": "serve\n", "version.txt": version + " of " + s.Namespace}
	image := s.Image(s.t, "moody", files)
	return []string{"deploy", "moody", "--image", image}
}

// undisturbed deploys two versions and returns the state after the second one.
func (s *shipping) undisturbed(built bool) string {
	s.t.Helper()
	s.Norn(s.nextVersion(built)...)
	s.Norn(s.nextVersion(built)...)
	return s.state(s.t, "undisturbed")
}

// commit commits everything, so that the next build has its own image.
func (s *shipping) commit(message string) {
	s.t.Helper()
	bed.Commit(s.t, s.dir, message)
}

func (s *shipping) mood(text string) {
	s.t.Helper()
	bed.WriteFiles(s.t, s.dir, map[string]string{"mood.txt": text + "\n"})
	s.commit(text)
}

// versionID matches a digest, a commit or a version in an image tag.
var versionID = regexp.MustCompile(`[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{12}`)

// state returns the state without version IDs. It checks that the command has left nothing behind.
func (s *shipping) state(t *testing.T, when string) string {
	t.Helper()
	if jobs := s.Kubectl("get", "jobs,leases", "-o", "name"); jobs != "" {
		t.Errorf("%s: leftovers: %s", when, jobs)
	}
	s.checkLeftovers(t, when)
	return versionID.ReplaceAllString(s.State(), "VERSION")
}

func (s *shipping) checkLeftovers(t *testing.T, when string) {
	t.Helper()
	if left, err := os.ReadDir(s.tmp); err != nil || len(left) > 0 {
		t.Errorf("%s: leftover temporary files: %v %v", when, left, err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "snapshots", ".*.partial")); len(left) > 0 {
		t.Errorf("%s: leftover part of a snapshot: %v", when, left)
	}
}
