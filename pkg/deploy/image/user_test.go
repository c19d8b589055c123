package image

import (
	"strings"
	"testing"
)

func TestDockerfileUser(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       User
		refused    bool
	}{
		{"number", "FROM alpine\nUSER 1000:1000\nCMD x\n", User{Name: "1000:1000", Known: true, Line: 2, Before: 3}, false},
		{"the last one", "FROM alpine\nUSER 1000\nRUN x\nUSER 0\n", User{Name: "0", Known: true, Line: 4}, true},
		{"root", "FROM alpine\nUSER root\n", User{Name: "root", Known: true, Line: 2}, true},
		{"name", "FROM alpine\nUSER \"app\"\n", User{Name: "app", Known: true, Line: 2}, true},
		{"name of a group", "FROM alpine\nUSER 7:app\n", User{Name: "7:app", Known: true, Line: 2}, false},
		{"variable", "FROM alpine\nARG U=7\nUSER $U\n", User{Name: "$U", Line: 3}, false},
		{"base image", "FROM alpine\nENTRYPOINT x\n", User{Base: "alpine", Before: 2}, false},
		{"scratch", "FROM scratch\nCOPY a /\nENTRYPOINT x\n", User{Known: true, Base: "scratch", Before: 3}, true},
		{
			"stage", "FROM --platform=x golang AS Base\nUSER 5\nFROM scratch\nUSER 6\nFROM base\nCMD x\n",
			User{Name: "5", Known: true, Line: 2, Before: 6}, false,
		},
		{"variable base image", "ARG B\nFROM $B\n", User{}, false},
		{"no stage", "USER 5\n", User{}, false},
	} {
		got := dockerfileUser(c.text, "")
		if got != c.want || (got.Refused() != "") != c.refused {
			t.Errorf("%s: %+v, %q", c.name, got, got.Refused())
		}
	}
}

// The user of an index is that of its first image. docker keeps no index in its store.
func TestBuiltUser(t *testing.T) {
	const image = "r.example.com/team/shop:0123456789ab"
	two := []string{"linux/amd64", "linux/arm64"}
	for _, c := range []struct {
		tool      string
		platforms []string
		want      string
	}{
		{"docker", nil, image}, {"podman", nil, image}, {"buildah", nil, image},
		{"podman", two, image + "-linux-amd64"}, {"buildah", two, image + "-linux-amd64"},
	} {
		calls := fakeTool(t, c.tool, "echo 1000")
		b, err := FindBuilder(t.Context(), c.tool)
		if err != nil {
			t.Fatal(err)
		}
		got := BuiltUser(t.Context(), b, Request{Image: image, Platforms: c.platforms})
		if got.Name != "1000" || !got.Known || !strings.HasSuffix(strings.TrimSpace(calls()), " "+c.want) {
			t.Errorf("%s for %v: %+v, calls %s", c.tool, c.platforms, got, calls())
		}
	}
}
