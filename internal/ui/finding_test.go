package ui

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestPrintFinding(t *testing.T) {
	var b bytes.Buffer
	f := Finding{
		File: "infraspec.yaml", Line: 3, Column: 7, EndColumn: 12, Severity: "error", Rule: "range",
		Message: "too high", Source: "port: 70000",
	}
	PrintFinding(&b, f)
	want := "infraspec.yaml:3:7: error: too high [range]\n    3 | port: 70000\n      |       ^^^^^\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	f.Source, f.Masked = "port: *****", true
	PrintFinding(&b, f)
	want = "port: *****\n      |       ^^^^^\n      | (stars hide possible secrets)\n"
	if !strings.HasSuffix(b.String(), want) {
		t.Errorf("got\n%s", b.String())
	}
	b.Reset()
	PrintFinding(&b, Finding{File: "infraspec.yaml", Severity: "warning", Rule: "x", Message: "m"})
	if want := "infraspec.yaml: warning: m [x]\n"; b.String() != want {
		t.Errorf("got %q", b.String())
	}
}

// The underline is below the place in any line, and neither exceeds the width.
func TestExcerpt(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, c := range []struct {
		name, source string
		column, end  int
		place        string
	}{
		{"plain", "port: 70000", 7, 12, "70000"},
		{"tabs", "a:\t\tbad", 5, 8, "bad"},
		{"wide characters", "名前: 悪い", 5, 7, "悪い"},
		{"a control character", "a: \x01bad", 5, 8, "bad"},
		{"far right in a long line", long + " bad " + long, 202, 205, "bad"},
		{"longer than the room", "a: " + long, 4, 204, "x"},
		{"at the end", "a:", 3, 4, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			const room = 60
			line, underline := excerpt(Finding{Source: c.source, Column: c.column, EndColumn: c.end}, room)
			if ansi.StringWidth(line) > room || ansi.StringWidth(underline) > room {
				t.Errorf("too wide:\n%s\n%s", line, underline)
			}
			lead := strings.IndexByte(underline, '^')
			if got := ansi.Cut(line, lead, len(underline)); !strings.HasPrefix(got, c.place) {
				t.Errorf("%q is underlined, want %q:\n%s\n%s", got, c.place, line, underline)
			}
			if strings.ContainsAny(line, "\t\x01") {
				t.Errorf("%q contains characters of unknown width", line)
			}
		})
	}
}

func TestAnnotate(t *testing.T) {
	root := t.TempDir()
	t.Setenv("GITHUB_WORKSPACE", root)
	var b bytes.Buffer
	Annotate(&b, Finding{
		File: filepath.Join(root, "a,b", "infraspec.yaml"), Line: 3, Column: 7, EndColumn: 12, Severity: "error",
		Rule: "range", Message: "100%: too\nhigh",
	})
	want := "::error file=a%2Cb/infraspec.yaml,line=3,col=7,endColumn=12,title=norn range::100%25: too%0Ahigh\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	b.Reset()
	Annotate(&b, Finding{File: "x", Severity: "note", Rule: "r", Message: "m"})
	if want := "::notice file=x,title=norn r::m\n"; b.String() != want {
		t.Errorf("got %q", b.String())
	}
}

func TestDisplayPath(t *testing.T) {
	here := t.TempDir()
	t.Chdir(here)
	for path, want := range map[string]string{
		filepath.Join(here, "a", "b"): filepath.Join("a", "b"), "/elsewhere/x": "/elsewhere/x", "rel/x": "rel/x",
	} {
		if got := DisplayPath(path); got != want {
			t.Errorf("DisplayPath(%q) = %q, want %q", path, got, want)
		}
	}
}

// In a pipe, cells are not cut, columns are aligned, and lines have no trailing spaces.
func TestPrintTable(t *testing.T) {
	var b bytes.Buffer
	long := strings.Repeat("x", 200)
	PrintTable(&b, []string{"A", "B"}, [][]Cell{{{Text: "é"}, Marked("good", Good)}, {{Text: long}, {}}})
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 3 || strings.Index(lines[0], "B") != 202 || lines[2] != long || ansi.StringWidth(lines[1]) != 206 {
		t.Errorf("got:\n%s", b.String())
	}
}

func TestPrintFact(t *testing.T) {
	var b bytes.Buffer
	PrintFact(&b, "role", "one\ntwo")
	if want := "role       one\n           two\n"; b.String() != want {
		t.Errorf("got %q", b.String())
	}
}

// A long name moves the texts of all facts.
func TestFacts(t *testing.T) {
	var b bytes.Buffer
	var facts Facts
	facts.Add("role", "one\ntwo")
	facts.Print(&b)
	facts.Add("environment", "staging")
	facts.Print(&b)
	const want = "role       one\n           two\n" + "role         one\n             two\nenvironment  staging\n"
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

func TestNoPromptWithoutTerminal(t *testing.T) {
	if _, ok := NewPrompt(Streams{In: strings.NewReader("y\n"), Err: os.Stderr}); ok {
		t.Error("NewPrompt returned a prompt without a terminal")
	}
}
