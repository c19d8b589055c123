package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for _, c := range []struct {
		text, match string // "" finds nothing
	}{
		{"LFS pointers are told of", `"are told of"`},
		{"the two are told apart by name", ""},
		{"status tells of it", `"tells of"`},
		{"it lists what there is", `"what there is"`},
		{"it shows what it has", `"what it has"`},
		{"where there is no cluster", `"where there is no"`},
		{"those that run", `"those that"`},
		{"it is that one's", `"it is that one's"`},
		{`--request-timeout "x" cannot be understood`, `"cannot be understood"`},
		{"shop is no function", `"is no function"`},
		{"there is no function", ""},
		{"if there are none left", ""},
		{"the image is no longer there", ""},
		{"the Service is not norn's", `"is not norn's"`},
		{"a slower start wants a timeout", `"wants"`},
		{"if you want a timeout", ""},
		{"a name may not be empty", `"may not"`},
		{"a name may\nnot be empty", `"may not"`},
		{"it reads otherwise than written", `"otherwise than"`},
		{"written anew", `"anew"`},
		{"Besides, it logs", `"Besides"`},
		{"beside it", ""},
		{"mend the entry", `"mend"`},
		{"recommended", ""},
		{"a bearer token", ""},
		{"it ships all the same", `"all the same"`},
		{"it takes the lock away", `"takes the lock away"`},
		{"leave build.test out", `"leave build.test out"`},
		{"fields may be left out", ""},
		{"until the pods settle", `"settle"`},
		{"settings", ""},
	} {
		found := passage{text: c.text, line: 1}.check("x")
		switch {
		case c.match == "" && len(found) > 0:
			t.Errorf("%q: %v", c.text, found)
		case c.match != "" && (len(found) == 0 || !strings.Contains(found[0].problem, c.match+": write ")):
			t.Errorf("%q: %v, want %s", c.text, found, c.match)
		}
	}
}

const goFile = `package x

import _ "wants/anew"

// First is
// no comment.
type x struct {
	field int ` + "`yaml:\"anew\"`" + ` // besides
}

var y = "this is " +
	"no sum " + f("afresh") + " of " +
	"all the same"

const raw = ` + "`one\ntwo\nthree wants`" + `
`

func TestGoFile(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string
	}{
		{"x.go", []string{"5 is no comment", "8 besides", "11 is no sum", "12 afresh", "13 all the same", "17 wants"}},
		{"x_test.go", []string{"5 is no comment", "8 besides"}},
		{"test/bed/x.go", []string{"5 is no comment", "8 besides"}},
	} {
		t.Run(c.name, func(t *testing.T) { compare(t, c.name, goFile, c.want) })
	}
}

const page = `# A page that wants nothing

It shows ` + "`what there is`" + ` and is
no command. [See anew](anew.md).

` + "```console" + `
norn wants
` + "```" + `

| what there is |
|---|
| WIDE |

- [WIDE](anew.md)
- WIDE
`

func TestPage(t *testing.T) {
	wide := strings.TrimSpace(strings.Repeat("wide ", 25))
	text := strings.ReplaceAll(page, "WIDE", wide)
	compare(t, "docs/x.md", text, []string{
		"1 wants", "3 is no command", "4 anew", "10 what there is", "15 126 columns",
	})
}

func TestScript(t *testing.T) {
	compare(t, "hack/x", "#!/bin/bash\n# one\n# all the\n# same\necho 'nothing that wants'\n", []string{
		"3 all the same", "5 wants",
	})
}

// compare checks a file and compares the lines and the beginnings of what it finds.
func compare(t *testing.T, name, text string, want []string) {
	t.Helper()
	found, err := lintFile(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(found, func(a, b finding) int { return a.line - b.line })
	if len(found) != len(want) {
		t.Fatalf("found %v, want %q", found, want)
	}
	for i, f := range found {
		line, problem, _ := strings.Cut(want[i], " ")
		got := strings.TrimPrefix(f.problem, `"`)
		if !strings.HasPrefix(f.String(), name+":"+line+": ") || !strings.HasPrefix(got, problem) {
			t.Errorf("found %v, want %s", f, want[i])
		}
	}
}

func TestAllowed(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.md":                 "It is no joke.\nIt is no joke, again.\n",
		"b.md":                 "It is no joke.\n",
		"testdata/c.md":        "It is no joke.\n",
		"docs/ci/d.md":         "It is no joke.\n",
		"devcluster/README.md": "It is no joke.\n",
		allowFile:              "# Comments are ignored.\na.md: It is no joke.\nb.md: It is gone.\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := lint(dir)
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	for _, f := range found {
		place, _, _ := strings.Cut(f.String(), ": ")
		places = append(places, place)
	}
	if want := []string{"a.md:2", "b.md:1", "docs/ci/d.md:1", "hack/prose/allow.txt:3"}; !slices.Equal(places, want) {
		t.Errorf("found %q, want %q", places, want)
	}
}
