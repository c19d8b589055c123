package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseDockerfile(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []instruction
	}{
		{"empty", "", nil},
		{
			"lines", "from x\n\n# c\n  COPY\ta /\nRUN",
			[]instruction{{name: "FROM", arguments: "x"}, {name: "COPY", arguments: "a /"}, {name: "RUN"}},
		},
		{
			"continuation", "ENV A=1 \\\nRUBY=$V \\ \n  # comment\n\n  B=2\nRUN x",
			[]instruction{{name: "ENV", arguments: "A=1 RUBY=$V   B=2"}, {name: "RUN", arguments: "x"}},
		},
		{
			"continuation at the end", "RUN a \\\n",
			[]instruction{{name: "RUN", arguments: "a"}},
		},
		{
			"escape directive", "# syntax=docker/dockerfile:1\n# escape=`\nCOPY a C:\\\nRUN x `\n  y",
			[]instruction{{name: "COPY", arguments: `a C:\`}, {name: "RUN", arguments: "x   y"}},
		},
		{
			"no directive after a comment", "# hello\n# escape=`\nRUN x \\\n  y",
			[]instruction{{name: "RUN", arguments: "x   y"}},
		},
		{"CRLF and byte order mark", "\ufeffFROM x\r\nRUN a \\\r\n b\r\n", []instruction{
			{name: "FROM", arguments: "x"}, {name: "RUN", arguments: "a  b"},
		}},
		{
			"here-documents", "RUN <<A cat <<-\"B\"\nENV X\nA\n\tENV Y\n\tB\nCOPY <<EOF /v\n$VERSION\nEOF\nENV Z",
			[]instruction{
				{name: "RUN", arguments: "<<A cat <<-\"B\"\nENV X\nA\n\tENV Y\n\tB"},
				{name: "COPY", arguments: "<<EOF /v\n$VERSION\nEOF"}, {name: "ENV", arguments: "Z"},
			},
		},
		{"no here-document", "RUN echo $((1 <<3))\nENV X=$V", []instruction{
			{name: "RUN", arguments: "echo $((1 <<3))"}, {name: "ENV", arguments: "X=$V"},
		}},
	} {
		got := parseDockerfile(c.text)
		for i := range got {
			got[i].line = 0
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// dockerfile writes a Dockerfile and returns its path.
func dockerfile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Dockerfile")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBaseImageArgs(t *testing.T) {
	for text, want := range map[string][]string{
		"ARG VERSION=3.19\nFROM alpine:$VERSION\n":                        {"VERSION"},
		"ARG A=1 VERSION=3\nFROM a AS b\nFROM alpine:${VERSION}\nRUN x\n": {"VERSION"},
		"ARG VERSION=dev\nFROM alpine\nARG VERSION\nRUN x $VERSION\n":     nil,
		"ARG VERSION\nFROM base:$VERSION\n":                               nil,
		"FROM alpine\nARG VERSION=3.19\nENV V=$VERSION\n":                 nil,
		"ARG VERSION_X=1\nFROM alpine:$VERSION_X\n":                       nil,
	} {
		if got := BaseImageArgs(dockerfile(t, text)); !slices.Equal(got, want) {
			t.Errorf("BaseImageArgs(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestCopySources(t *testing.T) {
	text := "FROM x AS y\nCOPY --chown=1 a b/* /\nADD [\"c d\", \"/\"]\nCOPY --from=y e /\nADD https://f/g /\n" +
		"COPY $H /\nCOPY <<EOF /i\nj\nEOF\nCOPY\nCOPY k\n"
	want := []string{"a", "b/*", "c d"}
	if got := CopySources(dockerfile(t, text)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// FuzzDockerfile checks that each line that does not continue an instruction begins one.
func FuzzDockerfile(f *testing.F) {
	f.Add("FROM x\nENV A=1 \\\nRUBY=$VERSION\nRUN <<A <<-B\nA\n\tB\n")
	f.Add("# escape=`\nCOPY a C:\\\nRUN x `\n# c\n\ty")
	f.Add("\r")
	f.Add("\ufeffRUN <<\"EOF\"\r\nEOF\r\n \\\n\\")
	f.Fuzz(func(t *testing.T, text string) {
		all := parseDockerfile(text)
		for _, i := range all {
			if strings.ContainsAny(i.name, " \t\n") || i.name == "" && i.arguments != "" {
				t.Errorf("%v in %q", i, text)
			}
		}
		if strings.Contains(text, "<<") || strings.ContainsAny(text, "\\`") {
			return
		}
		lines := 0
		for line := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
			if !skipped(line) {
				lines++
			}
		}
		if len(all) != lines {
			t.Errorf("%d instructions in %q, want %d", len(all), text, lines)
		}
	})
}
