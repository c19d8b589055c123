package source

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	someCommit = strings.Repeat("a", 40)
	awkward    = []string{
		"plain", "a b", " lead", "trail ", "tab\there", "new\nline", `quo"te`, `back\slash`, "ünï/çode", "\xff",
	}
)

func TestParseGitlinks(t *testing.T) {
	list, want := "", []gitlink(nil)
	for _, path := range awkward {
		list += "100644 blob " + someCommit + "\t" + path + ".txt\x00160000 commit " + someCommit + "\t" + path + "\x00"
		want = append(want, gitlink{path, someCommit})
	}
	if got := parseGitlinks(list); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, list := range []string{
		"", "\x00", "160000 commit", "160000 commit " + someCommit, "160000  x\t", "x\ty",
		"160000 commit " + someCommit + "\t../x\x00160000 commit " + someCommit + "\t/x\x00",
	} {
		if got := parseGitlinks(list); len(got) > 0 {
			t.Errorf("%q: %q, want none", list, got)
		}
	}
}

func TestParseModules(t *testing.T) {
	list, want := "core.bare\nfalse\x00novalue\x00submodule.x\x00submodule.active\n.\x00", map[string]module{}
	for _, path := range awkward {
		name := strings.ReplaceAll(path, "\n", "")
		list += "submodule." + name + ".update\nnone\x00submodule." + name + ".path\n" + path + "\x00"
		want[path] = module{name, "none"}
	}
	list += "submodule.a.b.path\nc\x00submodule.a.b.url\nhttps://x\x00"
	want["c"] = module{"a.b", ""}
	if got := parseModules(list); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzGit checks that norn reads any path and name from git's output, whatever surrounds them.
func FuzzGit(f *testing.F) {
	for _, path := range awkward {
		f.Add(path, path, "", "")
	}
	f.Add("lib", "a.b.path", "100644 blob x\ty", "submodule.a.b.path\nz")
	f.Add("..", ".", "160000 commit "+someCommit+"\t../x", "submodule..path\n")
	f.Add("a\tb\nc", "x\"y", "\x00\x00160000 commit\t", "core.x\x00submodule.")
	f.Fuzz(func(t *testing.T, path, name, trees, configuration string) {
		if got := oneLine(path + "\n"); got != path {
			t.Errorf("oneLine: %q, want %q", got, path)
		}
		for _, g := range parseGitlinks(trees) {
			if !filepath.IsLocal(g.path) || strings.Contains(g.path, "\x00") {
				t.Errorf("%q in %q", g, trees)
			}
		}
		for p, m := range parseModules(configuration) {
			if strings.Contains(p+m.name+m.update, "\x00") {
				t.Errorf("%q: %q in %q", p, m, configuration)
			}
		}
		for _, ref := range parseRefs(configuration) {
			if ref == "" || strings.Contains(ref, "\n") {
				t.Errorf("ref %q in %q", ref, configuration)
			}
		}
		if strings.Contains(path, "\x00") || !filepath.IsLocal(path) {
			return
		}
		list := trees + "\x00160000 commit " + someCommit + "\t" + path + "\x00" + trees
		if got := parseGitlinks(list); !slices.Contains(got, gitlink{path, someCommit}) {
			t.Errorf("%q is not in %q", path, got)
		}
		if strings.ContainsAny(name, "\x00\n") {
			return
		}
		// A later value replaces an earlier one, as in git.
		list = configuration + "\x00submodule." + name + ".path\n" + path + "\x00submodule." + name + ".update\nnone\x00"
		if got := parseModules(list); got[path].update != "none" && len(parseModules(configuration)) == 0 {
			t.Errorf("%q: %q", path, got)
		}
	})
}
