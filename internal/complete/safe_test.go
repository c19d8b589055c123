package complete

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// A shell gets only words that it cannot misread, and descriptions without anything to evaluate.
func TestSafe(t *testing.T) {
	safe := []string{
		"shop", "feature/x-1", "v1.4.0+build", "kubernetes-admin@kubernetes", "arn:aws:eks:eu-west-1:1:cluster/c",
		"raw\tunchanged lines", "a\tan app’s 100% = best",
	}
	if got := Safe(safe); !slices.Equal(got, safe) {
		t.Errorf("%q", got)
	}
	for _, text := range []string{
		"", "two words", "esc\x1b[2J", "line\nbreak", "`id`", "$(id)", "$HOME", ";id", "a'b", "a\"b",
		"a&b", "a|b", "a<b", "a>b",
		"(id)", "{a,b}", "a*", "a?", "[a]", "a!b", "#a", "~root", "^a", "a\\b", "-rf", "=ls",
		"%self", "@args", "_activeHelp_ x",
		"über", "\u202ename", "a\x00b", "a\xffb",
	} {
		if got := Safe([]string{text + "\tabout"}); len(got) > 0 {
			t.Errorf("%q is offered as %q", text, got)
		}
	}
	about := Safe([]string{"x\tcan't `run` $(id); \x1b]0;title\a\u202e(déjà vu)\t#1"})
	if want := "x\tcan’t ’run’ id 0 title déjà vu 1"; !slices.Equal(about, []string{want}) {
		t.Errorf("%q, want %q", about, want)
	}
}

// No input gets a character that a shell would evaluate to the shell.
func FuzzSafe(f *testing.F) {
	f.Add("name\tabout")
	f.Add("`id`\t$(id)")
	f.Fuzz(func(t *testing.T, line string) {
		for _, safe := range Safe([]string{line}) {
			text, about, _ := strings.Cut(safe, "\t")
			evaluated := strings.ContainsAny(about, "`$()'\"\\;&|<>{}[]*?!#~^\n\t\x1b")
			if !safeWord.MatchString(text) || evaluated || !utf8.ValidString(safe) {
				t.Errorf("%q", safe)
			}
		}
	})
}
