package bed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// CopyApp copies a sample app of testdata/apps, with its built program, to dir.
func CopyApp(tb testing.TB, name, dir string) {
	tb.Helper()
	if err := copyApp(Root(tb), needs(tb, "NORN_TEST_BINARIES"), name, dir); err != nil {
		tb.Fatal(err)
	}
}

func copyApp(root, binaries, name, dir string) error {
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "testdata", "apps", name))); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(binaries, name))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), data, 0o755)
}

// Git runs git in dir. A failure ends the test. The author is named after dir. Otherwise, two repositories of one app
// with commits of the same second would have the same commit IDs and image names.
func Git(tb testing.TB, dir string, args ...string) {
	tb.Helper()
	as := []string{"-C", dir, "-c", "user.name=" + dir, "-c", "user.email=test@localhost"}
	Run(tb, exec.Command("git", append(as, args...)...))
}

// Commit commits everything in dir, even if nothing has changed.
func Commit(tb testing.TB, dir, message string) {
	tb.Helper()
	Git(tb, dir, "add", "-A")
	Git(tb, dir, "commit", "-q", "--allow-empty", "-m", message)
}

// BuilderEnv returns an environment in which buildah builds without an engine, in its own image store. Builders that
// share a store may delete each other's layers. The store is deleted when the test ends.
func BuilderEnv(tb testing.TB) []string {
	tb.Helper()
	env, remove, err := builderEnv()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(remove)
	return env
}

func builderEnv() (env []string, remove func(), err error) {
	// hack/test deletes its folder even if the test is aborted.
	dir, err := os.MkdirTemp(os.Getenv("NORN_TEST_BINARIES"), "images-")
	if err != nil {
		return nil, nil, err
	}
	conf := filepath.Join(dir, "storage.conf") // man 5 containers-storage.conf
	text := fmt.Sprintf("[storage]\ndriver = \"vfs\"\nrunroot = %q\ngraphroot = %q\n", dir+"/run", dir+"/graph")
	env = []string{
		"NORN_BUILDER=buildah", "BUILDAH_ISOLATION=chroot", "STORAGE_DRIVER=vfs", "CONTAINERS_STORAGE_CONF=" + conf,
	}
	return env, func() { _ = os.RemoveAll(dir) }, os.WriteFile(conf, []byte(text), 0o600)
}

// Image builds a sample app's image, pushes it to the cluster's registry, and returns its reference by digest. files
// replaces files of the app, or adds some.
func (c *Cluster) Image(tb testing.TB, app string, files map[string]string) string {
	tb.Helper()
	program, err := os.ReadFile(filepath.Join(needs(tb, "NORN_TEST_BINARIES"), app))
	if err != nil {
		tb.Fatal(err)
	}
	all := map[string]string{app: string(program)}
	for name, text := range files {
		all[name] = text
	}
	ref, err := c.push(app, "", all)
	if err != nil {
		tb.Fatalf("push the image of %s: %v", app, err)
	}
	return ref
}

// MoodyImage pushes an image of the sample app moody with this mood to the cluster's registry.
func (c *Cluster) MoodyImage(tb testing.TB, mood string) string {
	tb.Helper()
	return c.Image(tb, "moody", map[string]string{"mood.txt": strings.TrimSpace(mood) + "\n"})
}
