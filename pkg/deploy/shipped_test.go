package deploy

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/deploy/source"
	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

// checkout creates a git repository with the given files, committed, and returns its folder.
func checkout(t *testing.T, files map[string]string) string {
	t.Helper()
	top := t.TempDir()
	write(t, top, files)
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "files"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = top
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	return top
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// running returns a run for the infraspec in dir, and what it says.
func running(t *testing.T, dir string, o Options) (*run, *bytes.Buffer) {
	t.Helper()
	spec, _, err := infraspec.Load(filepath.Join(dir, infraspec.FileName))
	if err != nil {
		t.Fatal(err)
	}
	r := &run{options: o, dir: dir, tmp: t.TempDir(), clones: spec.Repo.URL != "" && !o.Checkout}
	return r.withSpec(spec), &bytes.Buffer{}
}

// shippedFrom lays out the version, and returns its infraspec and the path of its secrets relative to the source.
func shippedFrom(t *testing.T, r *run, said *bytes.Buffer) (*infraspec.Spec, string) {
	t.Helper()
	tree, _, err := r.layOut(t.Context(), said)
	if err != nil {
		t.Fatal(err)
	}
	spec, files, err := r.specOf(t.Context(), said, tree)
	if err != nil {
		t.Fatal(err)
	}
	path := r.withSpec(spec).secretPlace(said, files, tree).Common()
	if inside, err := filepath.Rel(tree.Dir, path); err == nil && !strings.HasPrefix(inside, "..") {
		return spec, "source/" + inside
	}
	return spec, path
}

const (
	service = "app: shop\nrole: worker\nsecrets: [TOKEN]\n"
	beside  = "secrets.enc.yaml"
)

// The infraspec and the secrets are those of the commit, whatever the checkout contains.
func TestCommitShipsItsOwnFiles(t *testing.T) {
	top := checkout(t, map[string]string{
		"apps/shop/infraspec.yaml": service + "env: {A: one}\n", "apps/shop/" + beside: "x",
	})
	dir := filepath.Join(top, "apps", "shop")
	write(t, dir, map[string]string{"infraspec.yaml": service + "env: {A: two}\n"})
	r, said := running(t, dir, Options{Version: Version{Selection: source.Selection{Ref: "HEAD"}}})
	spec, path := shippedFrom(t, r, said)
	if spec.Env["A"] != "one" || path != "source/"+beside {
		t.Errorf("env %v, secrets in %s", spec.Env, path)
	}
	if want := filepath.Join(dir, "infraspec.yaml"); spec.Path() != want {
		t.Errorf("messages name %s, not the user's file", spec.Path())
	}
	r, said = running(t, dir, Options{}) // with uncommitted changes
	if spec, path = shippedFrom(t, r, said); spec.Env["A"] != "two" || path != filepath.Join(dir, beside) {
		t.Errorf("dirty: env %v, secrets in %s", spec.Env, path)
	}
}

// An environment's infraspec in a subfolder ships its own secrets, not those at the top of the repository.
func TestCloneShipsTheSecretsBesideItsInfraspec(t *testing.T) {
	origin := checkout(t, map[string]string{"infraspec.yaml": service, beside: "staging"})
	production := service + "repo: {url: \"file://" + origin + "\", branch: HEAD}\n"
	write(t, origin, map[string]string{
		"deploy/production/infraspec.yaml": production + "env: {A: committed}\n",
		"deploy/production/" + beside:      "production",
	})
	for _, args := range [][]string{
		{"add", "-A"}, {"-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "production"},
	} {
		if out, err := exec.Command("git", append([]string{"-C", origin}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	dir := filepath.Join(origin, "deploy", "production")
	write(t, dir, map[string]string{"infraspec.yaml": production + "env: {A: uncommitted}\n"})
	r, said := running(t, dir, Options{})
	spec, path := shippedFrom(t, r, said)
	if spec.Env["A"] != "committed" || path != "source/deploy/production/"+beside {
		t.Errorf("env %v, secrets in %s", spec.Env, path)
	}
	if !strings.Contains(said.String(), "secrets.enc.yaml from deploy/production of commit ") {
		t.Errorf("the run says %q", said)
	}
}

// An infraspec outside of the repository is used from disk. Its secrets are beside it, or at the top of the source.
func TestCloneForAnInfraspecElsewhere(t *testing.T) {
	origin := checkout(t, map[string]string{"infraspec.yaml": service + "env: {A: source}\n", beside: "source"})
	elsewhere := t.TempDir()
	write(t, elsewhere, map[string]string{
		"infraspec.yaml": service + "repo: {url: \"file://" + origin + "\", branch: HEAD}\n",
	})
	r, said := running(t, elsewhere, Options{})
	if spec, path := shippedFrom(t, r, said); len(spec.Env) > 0 || path != "source/"+beside {
		t.Errorf("env %v, secrets in %s", spec.Env, path)
	}
	write(t, elsewhere, map[string]string{beside: "own"})
	r, said = running(t, elsewhere, Options{})
	if _, path := shippedFrom(t, r, said); path != filepath.Join(elsewhere, beside) {
		t.Errorf("secrets in %s", path)
	}
	if !strings.Contains(said.String(), "secrets.enc.yaml from "+elsewhere) {
		t.Errorf("the run says %q", said)
	}
}

// Secrets that are not committed are not replaced by those of another folder.
func TestMissingSecretsAreNotTakenElsewhere(t *testing.T) {
	dir := checkout(t, map[string]string{"infraspec.yaml": service})
	write(t, dir, map[string]string{beside: "untracked"})
	r, said := running(t, dir, Options{Version: Version{Selection: source.Selection{Ref: "HEAD"}}})
	spec, path := shippedFrom(t, r, said)
	if path != "source/"+beside {
		t.Fatalf("secrets in %s", path)
	}
	_, err := r.withSpec(spec).secret.decrypt(t.Context(), secrets.Place{Dir: filepath.Join(r.tmp, filepath.Dir(path))})
	if err == nil || err.Error() != filepath.Join(dir, beside)+": the version to deploy does not contain the file" {
		t.Errorf("error %v", err)
	}
}

func TestCommitOfAnotherApp(t *testing.T) {
	dir := checkout(t, map[string]string{"infraspec.yaml": "app: old\nrole: worker\n"})
	write(t, dir, map[string]string{"infraspec.yaml": service})
	r, said := running(t, dir, Options{Version: Version{Selection: source.Selection{Ref: "HEAD"}}})
	tree, _, err := r.layOut(t.Context(), said)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = r.specOf(t.Context(), said, tree)
	if err == nil || !strings.Contains(err.Error(), "sets app: old, not shop") {
		t.Errorf("error %v", err)
	}
}

// The files are those of the chosen environment: both together beside the infraspec, or both at the top of the source.
func TestSecretsOfAnEnvironment(t *testing.T) {
	const own = "secrets.e.enc.yaml"
	origin := checkout(t, map[string]string{"infraspec.yaml": service, own: "x", "secrets.f.enc.yaml": "x"})
	elsewhere := t.TempDir()
	write(t, elsewhere, map[string]string{
		"infraspec.yaml": service + "environments: {e: {namespace: e}, f: {namespace: f}}\n" +
			"repo: {url: \"file://" + origin + "\", branch: HEAD}\n",
	})
	for _, c := range []struct {
		name, disk, from string // disk is the file beside the infraspec, if any
	}{
		{"only in the source", "", own + " from the top of "},
		{"beside the infraspec", beside, beside + " from " + elsewhere},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.disk != "" {
				write(t, elsewhere, map[string]string{c.disk: "x"})
			}
			r, said := running(t, elsewhere, Options{})
			in, err := r.spec.In("e")
			if err != nil {
				t.Fatal(err)
			}
			r = r.withSpec(in)
			shippedFrom(t, r, said)
			if text := said.String(); !strings.Contains(text, c.from) || strings.Contains(text, "secrets.f") {
				t.Errorf("the run says %q", text)
			}
		})
	}
}
