package source

import (
	"maps"
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
	for _, list := range []string{"", "\x00", "160000 commit", "160000 commit " + someCommit, "160000  x\t", "x\ty"} {
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
