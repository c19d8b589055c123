package secrets

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A dotenv file gives the values as written: nothing is expanded, and a # inside a word is part of it.
func TestDotenv(t *testing.T) {
	t.Setenv("HOME", "/canary-home")
	const text = "\xef\xbb\xbf# a comment with a=b\r\n" +
		"export A=one\n" +
		"B = 'two $HOME' # said\n" +
		"C=\"three\\nlines\n${A} \\$x\"\n" +
		"D=pa$HOME#wo##rd\n" +
		"E=\n" +
		"F=#six # comment\n" +
		"G=\"a # b\"\n" +
		"H: yaml\n" +
		"I=a=b==\n"
	want := map[string]string{
		"A": "one", "B": "two $HOME", "C": "three\nlines\n${A} $x", "D": "pa$HOME#wo##rd", "E": "", "F": "#six", "G": "a # b",
		"H": "yaml", "I": "a=b==",
	}
	values, err := Dotenv("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for name, v := range values {
		got[name] = v.Reveal()
	}
	if !maps.Equal(got, want) {
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if got[name] != want[name] {
				t.Errorf("%s is %q, want %q", name, got[name], want[name])
			}
		}
		t.Errorf("%d values, want %d", len(got), len(want))
	}
}

// An invalid file is an error with the line, which quotes no value.
func TestDotenvRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no name", "A=one\n\ncanary value\n", "f: line 3 is not NAME=VALUE"},
		{"an open quote", "A=\"b\nc\"\nB=\"canary\nC=canary\n", "f: line 3 is not NAME=VALUE"},
		{"a digit", "1A=canary\n", "f: a name begins with a digit"},
		{"binary", "A=\xff\n", "f: the file is not UTF-8 text"},
		{"NUL", "A=a\x00b\n", "f: the file is not UTF-8 text"},
		{"nothing", "# only\n", "f: the file has no values"},
		{"large", strings.Repeat("# canary\n", 1<<18), "f: the file has more than"},
	} {
		_, err := Dotenv("f", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
			continue
		}
		file, ok := errors.AsType[*FileError](err)
		if !ok || strings.Contains(err.Error()+file.Advice, "canary") {
			t.Errorf("%s: the error quotes the file, or is no *FileError: %v", c.name, err)
		}
	}
}
