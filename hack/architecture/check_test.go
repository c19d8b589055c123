package architecture

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const fixture = `# A page

## Components

` + "```text" + `
  a
  |
 b  c
` + "```" + `

| component | folders | imports |
|---|---|---|
| a | ` + "`pkg/a` `internal/a`" + ` | b c |
| b | ` + "`pkg/b`" + ` | |
| c | ` + "`pkg/c`" + ` | |

## Packages in the large components

| package | does | imports in its component |
|---|---|---|
| ` + "`pkg/a`" + ` | something | d |
| ` + "`pkg/a/d`" + ` | something | |
| ` + "`internal/a`" + ` | something | |
`

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string // replaced in the page
		imports  map[string][]string
		want     string // "": no problem
	}{
		"right": {},
		"missing arrow": {
			from: "| b c |", to: "| b |",
			want: "missing arrow a -> c: pkg/a imports pkg/c/e",
		},
		"superfluous arrow": {
			imports: map[string][]string{"pkg/a": {"pkg/a/d", "pkg/b"}},
			want:    "superfluous arrow a -> c",
		},
		"arrow up": {
			from: "`pkg/b`" + " | |", to: "`pkg/b`" + " | c |",
			imports: map[string][]string{"pkg/b": {"pkg/c"}},
			want:    "arrow b -> c does not point down in the picture",
		},
		"package without a component": {
			imports: map[string][]string{"pkg/new": nil},
			want:    "pkg/new is in no component",
		},
		"folder without packages": {
			from: "`pkg/c`", to: "`pkg/c` `pkg/old`",
			want: "pkg/old in component c has no packages",
		},
		"component not drawn": {
			from: " b  c", to: " b",
			want: "c is not in the picture",
		},
		"drawn and not listed": {
			from: " b  c", to: " b  c  e",
			want: "e is in the picture and not in the table",
		},
		"no picture": {
			from: "```text", to: "```",
			want: "there is no picture of the components",
		},
		"package not listed": {
			imports: map[string][]string{"pkg/a/new": nil},
			want:    "pkg/a/new is not listed",
		},
		"package gone": {
			from: "| `internal/a`" + " | something | |", to: "| `internal/a` | something | |\n| `pkg/a/old` | something | |",
			want: "pkg/a/old is listed and not a package",
		},
		"import in the component": {
			imports: map[string][]string{"internal/a": {"pkg/a/d"}},
			want:    `internal/a imports ["d"] in its component, and the table says []`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(fixture, c.from) {
				t.Fatalf("the page does not contain %q", c.from)
			}
			imports := map[string][]string{
				"pkg/a": {"pkg/a/d", "pkg/b", "pkg/c/e"}, "pkg/a/d": nil, "internal/a": {"pkg/b"}, "pkg/b": nil, "pkg/c/e": nil,
			}
			for pkg, to := range c.imports {
				imports[pkg] = to
			}
			got := check(strings.Replace(fixture, c.from, c.to, 1), imports)
			if c.want == "" && len(got) > 0 || c.want != "" && !slices.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

var fence = regexp.MustCompile("(?ms)^ *```.*?^ *```$")

// Every decision is in the index, by its title.
func TestDecisionsAreListed(t *testing.T) {
	index := prose(t, filepath.Join(root, "docs/adr/README.md"))
	pages, err := filepath.Glob(filepath.Join(root, "docs/adr/[0-9]*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		first, _, _ := strings.Cut(prose(t, page), "\n")
		number, title, _ := strings.Cut(strings.TrimPrefix(first, "# "), ". ")
		row := "| " + number + " | [" + title + "](" + filepath.Base(page) + ") |"
		if !strings.Contains(index, row) {
			t.Errorf("docs/adr/README.md has no row %s", row)
		}
		if strings.TrimLeft(filepath.Base(page)[:4], "0") != number {
			t.Errorf("%s has the number %s", filepath.Base(page), number)
		}
	}
}

// prose returns a page without its fenced blocks.
func prose(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return fence.ReplaceAllString(string(text), "")
}
