package deploy

import (
	"strings"
	"testing"

	"norn/pkg/deploy/source"
)

// The history has a commit's subject, without what a terminal acts on.
func TestSubject(t *testing.T) {
	long := strings.Repeat("ä", 80)
	for text, want := range map[string]string{
		"Sell shoes (#12)":             "Sell shoes (#12)",
		"\x1b[31mred\x07\u202eesrever": "[31mredesrever",
		"bad \xff byte":                "bad  byte",
		long:                           long[:2*71] + "…",
		"":                             "",
	} {
		got, err := (&run{}).subject(source.Tree{Subject: text})
		if got != want || err != nil {
			t.Errorf("%q: got %q, %v; want %q", text, got, err, want)
		}
	}
}
