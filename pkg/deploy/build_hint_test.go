package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/deploy/image"
	"norn/pkg/deploy/source"
	"norn/pkg/infraspec"
)

func sh(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// notesRepository is a script that creates a repository with the app's folder app, two commits, and files that only the
// checkout has.
const notesRepository = `git init -q && mkdir app app/dist && cd app
printf '*.bin\n/dist/\n' >.gitignore
printf 'FROM x\nARG VERSION\nCOPY notes.bin dist/ new later ./\n' >Dockerfile
printf 'FROM x\nCOPY beside /\n' >../Dockerfile
touch ../beside
alias commit='git add -A && git -c user.name=t -c user.email=t@l commit -qm x'
commit
touch later && commit
touch notes.bin new`

// The hint of a failed build names a file that is only in the checkout.
func TestBuildHint(t *testing.T) {
	top := filepath.Join(t.TempDir(), "it's a repository")
	if err := os.Mkdir(top, 0o755); err != nil {
		t.Fatal(err)
	}
	sh(t, top, notesRepository)
	app := filepath.Join(top, "app")
	for _, c := range []struct{ name, ref, before, dockerfile, want string }{
		{
			"ignored", "HEAD", "", "Dockerfile",
			"notes.bin exists in DIR, but git ignores it, so it is not in commit TAG; commit it",
		},
		{"ignored folder", "HEAD", "rm notes.bin", "Dockerfile", "dist exists in DIR, but git ignores it"},
		{"not committed", "HEAD", "rmdir dist", "Dockerfile", "new exists in DIR, but it is not committed, so it is not in"},
		{"not in this commit", "HEAD~1", "rm new", "Dockerfile", "later exists in DIR, but it is not in commit TAG; commit"},
		{"outside of the context", "HEAD", "", "../Dockerfile", "beside is outside the build context; set " +
			"build.context, or put the infraspec next to the Dockerfile, for example as infraspec.shop.yaml"},
	} {
		sh(t, app, c.before)
		got, tree := hintFor(t, app, c.ref, c.dockerfile)
		want := strings.ReplaceAll(strings.ReplaceAll(c.want, "DIR", app), "TAG", tree.Tag())
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s; want %s", c.name, got, want)
		}
	}
}

// hintFor returns the hint of a failed build of the app in dir.
func hintFor(t *testing.T, dir, ref, dockerfile string) (string, source.Tree) {
	t.Helper()
	version := source.Selection{Ref: ref}
	tree, err := source.FromCheckout(t.Context(), dir, version, filepath.Join(t.TempDir(), "target"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{dir: dir, spec: &infraspec.Spec{App: "shop", Build: infraspec.Build{Dockerfile: dockerfile}}}
	request := image.Request{
		Dir: tree.Dir, Dockerfile: filepath.Join(tree.Dir, dockerfile),
		Args: []string{"VERSION=" + tree.Tag(), "BUILD_NUMBER=1"},
	}
	return r.buildHint(t.Context(), "buildah", request, tree), tree
}

// Without such a file, the hint's commands repeat the build: of the commit, of a clone, or of uncommitted changes.
func TestBuildHintRepeats(t *testing.T) {
	top := t.TempDir()
	sh(t, top, notesRepository+"; rm -r notes.bin new dist; printf 'FROM x\\nARG VERSION\\nRUN no\\n' >Dockerfile; commit")
	app := filepath.Join(top, "app")
	bin := t.TempDir()
	script := "#!/bin/sh\necho \"$@\"; for last in \"$@\"; do :; done; ls \"$last\"\n"
	if err := os.WriteFile(filepath.Join(bin, "buildah"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("TMPDIR", t.TempDir())
	repeat := func(hint string) string {
		t.Helper()
		commands, ok := strings.CutPrefix(hint, "see the output above; to repeat the build, run ")
		if !ok {
			t.Fatal(hint)
		}
		return sh(t, t.TempDir(), "exec 2>/dev/null; "+commands)
	}
	hint, tree := hintFor(t, app, "", "Dockerfile")
	folder := filepath.Join(os.TempDir(), "shop-"+tree.Tag(), "app")
	want := "build --file " + folder + "/Dockerfile --build-arg VERSION=" + tree.Tag() + " " + folder +
		"\nDockerfile\nlater"
	if got := repeat(hint); !strings.HasSuffix(got, want) {
		t.Errorf("a commit: %q, want %q", got, want)
	}
	cloned, err := source.Clone(t.Context(), t.Output(), infraspec.Repo{URL: top}, source.Selection{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	r := &run{dir: app, spec: &infraspec.Spec{App: "shop", Build: infraspec.Build{Dockerfile: "Dockerfile"}}}
	request := image.Request{Dir: cloned.Dir, Dockerfile: filepath.Join(cloned.Dir, "Dockerfile")}
	got := repeat(r.buildHint(t.Context(), "buildah", request, cloned))
	if !strings.HasSuffix(got, "\nDockerfile\napp\nbeside") {
		t.Errorf("a clone: %q", got)
	}
	sh(t, app, "touch more")
	hint, _ = hintFor(t, app, "", "Dockerfile")
	if got := repeat(hint); !strings.HasSuffix(got, " "+app+"\nDockerfile\nlater\nmore") {
		t.Errorf("uncommitted changes: %q", got)
	}
}
