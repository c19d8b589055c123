//go:build unix

package source

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// listing returns the files and links in dir, with their content, permissions and targets.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if link, err := os.Readlink(path); err == nil {
			all = append(all, name+" -> "+link)
			return nil
		}
		text, err := os.ReadFile(path)
		info, _ := e.Info()
		all = append(all, fmt.Sprintf("%s %o %s", name, info.Mode().Perm()&0o100, text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// Uncommitted changes ship as a commit of them would: without .git, ignored files, and what norn itself wrote there.
func TestFromCheckoutCopiesChanges(t *testing.T) {
	dir, _ := repository(t)
	top := filepath.Join(dir, "..", "..")
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"deleted", "replaced/inner", "kept/inner", "swapped", "run.sh", "tracked.log"} {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, at(name), name)
	}
	write(t, at(".gitignore"), "*.log\n/dist/\n")
	git(t, top, "add", "-Af")
	commit(t, top)
	outside := t.TempDir()
	write(t, filepath.Join(outside, "inner"), "not of the repository")
	for _, err := range []error{
		os.Remove(at("deleted")),
		os.RemoveAll(at("replaced")), os.Symlink(outside, at("replaced")), // git tracks replaced/inner
		os.Remove(at("swapped")), syscall.Mkfifo(at("swapped"), 0o600),
		os.Chmod(at("run.sh"), 0o755), os.Symlink("/etc/passwd", at("link")), os.Symlink("nowhere", at("dangling")),
		os.MkdirAll(at("dist"), 0o755), os.MkdirAll(at("snapshots"), 0o755), os.MkdirAll(at("empty"), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"new file\n", "ignored.log", "dist/app", "snapshots/dump", "snapshots/golden", "run.sh",
	} {
		write(t, at(name), "x")
	}
	nested := at("nested")
	if err := os.Mkdir(nested, 0o755); err != nil {
		t.Fatal(err)
	}
	git(t, nested, "init", "-q")
	write(t, filepath.Join(nested, "own"), "x")
	target := filepath.Join(t.TempDir(), "target")
	dump := func(path string) bool { return path == "snapshots/dump" }
	s, err := FromCheckout(t.Context(), dir, Selection{}, target, dump)
	if err != nil || !s.Dirty || s.Dir != filepath.Join(target, "apps", "shop") || s.Copied != target {
		t.Fatalf("%+v, %v", s, err)
	}
	want := []string{
		".gitignore 0 *.log\n/dist/\n", "dangling -> nowhere", "file 0 two", "kept/inner 0 kept/inner",
		"link -> /etc/passwd", "nested/own 0 x", "new file\n 0 x", "replaced -> " + outside, "run.sh 100 x",
		"snapshots/golden 0 x", "tracked.log 0 tracked.log",
	}
	if got := listing(t, s.Dir); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if entries, err := os.ReadDir(target); err != nil || len(entries) != 1 {
		t.Errorf("the source holds %v, %v", entries, err)
	}
}

// A changed submodule ships as it is checked out.
func TestFromCheckoutCopiesSubmodules(t *testing.T) {
	library, _ := repository(t)
	dir, _ := repository(t)
	library = filepath.Dir(filepath.Dir(library))
	git(t, dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "lib")
	commit(t, dir)
	write(t, filepath.Join(dir, "lib", "apps", "shop", "file"), "changed")
	s, err := FromCheckout(t.Context(), dir, Selection{}, filepath.Join(t.TempDir(), "target"), nil)
	if err != nil || !s.Dirty {
		t.Fatalf("%+v, %v", s, err)
	}
	if got := listing(t, filepath.Join(s.Dir, "lib")); !slices.Equal(got, []string{"apps/shop/file 0 changed"}) {
		t.Errorf("%q", got)
	}
}

// A file in a merge conflict is listed once for each side, and is one file.
func TestFromCheckoutCopiesConflicts(t *testing.T) {
	dir, commits := repository(t)
	git(t, dir, "checkout", "-q", "-b", "other", commits[0])
	write(t, filepath.Join(dir, "file"), "other")
	commit(t, dir)
	merge := exec.Command("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "merge", commits[1])
	if merge.Dir = dir; merge.Run() == nil {
		t.Fatal("no conflict")
	}
	s, err := FromCheckout(t.Context(), dir, Selection{}, filepath.Join(t.TempDir(), "target"), nil)
	if err != nil || !strings.Contains(content(t, s), "<<<<<<<") {
		t.Errorf("%+v, %v", s, err)
	}
}

// BenchmarkCopyWorkTree copies 10,000 files of 4 KiB.
func BenchmarkCopyWorkTree(b *testing.B) {
	top := b.TempDir()
	text := make([]byte, 4096)
	for i := range 10_000 {
		folder := filepath.Join(top, fmt.Sprint(i%100))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i)), text, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := gitIn(top)(b.Context(), "init", "-q"); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if err := copyWorkTree(b.Context(), top, filepath.Join(b.TempDir(), fmt.Sprint(i)), nil); err != nil {
			b.Fatal(err)
		}
	}
}
