package image

import (
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestChoosePlatforms(t *testing.T) {
	other := "linux/arm64"
	if runtime.GOARCH == "arm64" {
		other = "linux/amd64"
	}
	for _, c := range []struct {
		name, declared, nodes string // own and other are platforms
		load                  bool
		want, wrong           string
	}{
		{"nodes unknown", "", "", false, "own", ""},
		{"the nodes'", "", "other", false, "other", ""},
		{"own among the nodes'", "", "other own", false, "own", ""},
		{"the first of the nodes'", "", "linux/ppc64le linux/s390x", false, "linux/ppc64le", ""},
		{"one declared", "other", "own", true, "other", ""},
		{"several declared", "own other", "own", false, "own other", ""},
		{"to load", "other own", "own", true, "own", ""},
		{"to load, nodes unknown", "other own", "", true, "own", ""},
		{"to load into several kinds of nodes", "other own", "own other", true, "",
			"the nodes need an image for several platforms (other, own), which cannot be loaded into them"},
		{"to load into other nodes", "other own", "linux/s390x", true, "",
			"build.platforms has none of the nodes' platforms (linux/s390x)"},
	} {
		names := strings.NewReplacer("other", other, "own", ownPlatform)
		list := func(text string) []string { return strings.Fields(names.Replace(text)) }
		got, err := ChoosePlatforms(list(c.declared), list(c.nodes), c.load)
		switch {
		case c.wrong != "":
			if err == nil || !strings.Contains(err.Error(), names.Replace(c.wrong)) {
				t.Errorf("%s: error %v, want %q", c.name, err, c.wrong)
			}
		case err != nil || !slices.Equal(got, list(c.want)):
			t.Errorf("%s: %v, %v; want %s", c.name, got, err, c.want)
		}
	}
}

// The builder's message may come in parts.
func TestFormatWatch(t *testing.T) {
	for text, want := range map[string]bool{
		"STEP 1|exec /bin/sh: exec for|mat error\n": true,
		"fork/exec /bin/sh: Exec format error":      true,
		"exec format|\nerror":                       false,
		"":                                          false,
	} {
		w := &FormatWatch{To: io.Discard}
		for part := range strings.SplitSeq(text, "|") {
			if _, err := io.WriteString(w, part); err != nil {
				t.Fatal(err)
			}
		}
		if w.Seen() != want {
			t.Errorf("%q: %t", text, w.Seen())
		}
	}
}
