package image

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/pipeline"
)

// fakeTool puts a program into PATH that logs its arguments, one call a line, and then runs script.
func fakeTool(t *testing.T, name, script string) (calls func() string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	text := fmt.Sprintf("#!/bin/sh\necho \"$*\" >> %s\n%s\n", log, script)
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return func() string {
		data, _ := os.ReadFile(log)
		return string(data)
	}
}

const pushed = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// The scripts of the fake builders leave the digest where the real ones do.
const (
	fakeContainers = `while [ $# -gt 0 ]; do [ "$1" = --digestfile ] && echo ` + pushed + ` > "$2"; shift; done`
	fakeEngine     = `case "$*" in *inspect*) echo '["r.example.com/team/shop@` + pushed + `"]' ;; esac
while [ $# -gt 0 ]; do
	[ "$1" = --metadata-file ] && echo '{"containerimage.digest":"` + pushed + `"}' > "$2"
	shift
done`
)

// Each builder builds and pushes an image, and an index of images for several platforms, in its own way.
func TestCommands(t *testing.T) {
	const image = "r.example.com/team/shop:0123456789ab"
	one, two := []string{"linux/arm64"}, []string{"linux/amd64", "linux/arm/v7"}
	for _, c := range []struct {
		tool      string
		platforms []string
		variable  string // BUILDX_BUILDER
		want      string
	}{
		{"docker", one, "", `
build --build-arg SOURCE_DATE_EPOCH=7 --file DIR/Dockerfile --tag IMAGE --platform linux/arm64 --build-arg A=1 DIR
push IMAGE
image inspect --format {{json .RepoDigests}} IMAGE
`},
		{"docker", one, "ci", `
build --load --build-arg SOURCE_DATE_EPOCH=7 --file DIR/Dockerfile --tag IMAGE --platform linux/arm64` +
			` --build-arg A=1 DIR
push IMAGE
image inspect --format {{json .RepoDigests}} IMAGE
`},
		{"docker", two, "ci", `
buildx build --provenance=false --push --metadata-file DIR/metadata.json --build-arg SOURCE_DATE_EPOCH=7` +
			` --file DIR/Dockerfile --tag IMAGE --platform linux/amd64,linux/arm/v7 --build-arg A=1 DIR
`},
		{"nerdctl", two, "", `
build --build-arg SOURCE_DATE_EPOCH=7 --file DIR/Dockerfile --tag IMAGE --platform linux/amd64,linux/arm/v7` +
			` --build-arg A=1 DIR
push IMAGE --all-platforms
image inspect --format {{json .RepoDigests}} IMAGE
`},
		{"buildah", one, "", `
build --layers=true --timestamp 7 --file Dockerfile --tag IMAGE --platform linux/arm64 --build-arg A=1 DIR
push --digestfile DIR/digest IMAGE docker://IMAGE
`},
		{"podman", two, "", `
manifest rm IMAGE-index
build --layers=true --timestamp 7 --file Dockerfile --tag IMAGE-linux-amd64 --label norn/platform=linux/amd64` +
			` --platform linux/amd64 --build-arg A=1 DIR
build --layers=true --timestamp 7 --file Dockerfile --tag IMAGE-linux-arm-v7 --label norn/platform=linux/arm/v7` +
			` --platform linux/arm/v7 --build-arg A=1 DIR
manifest rm IMAGE-index
manifest create IMAGE-index containers-storage:IMAGE-linux-amd64` +
			` containers-storage:IMAGE-linux-arm-v7
manifest push --all --format oci --digestfile DIR/digest IMAGE-index docker://IMAGE
manifest rm IMAGE-index
`},
	} {
		t.Run(c.tool+" "+strings.Join(c.platforms, " "), func(t *testing.T) {
			t.Setenv("BUILDX_BUILDER", c.variable)
			script := fakeEngine
			if c.tool == "podman" || c.tool == "buildah" {
				script = fakeContainers
			}
			calls := fakeTool(t, c.tool, script)
			builder, _ := newBuilder(c.tool)
			file := dockerfile(t, "FROM scratch\n")
			dir := filepath.Dir(file)
			b := Request{
				Dir: dir, Dockerfile: file, Image: image, Platforms: c.platforms, Args: []string{"A=1"}, Time: "7", Tmp: dir,
			}
			if err := builder.Build(t.Context(), io.Discard, b); err != nil {
				t.Fatal(err)
			}
			digest, err := builder.Push(t.Context(), io.Discard, b)
			if err != nil || digest != pushed {
				t.Errorf("%q, %v", digest, err)
			}
			got := strings.NewReplacer(dir, "DIR", image, "IMAGE").Replace(calls())
			if want := strings.TrimPrefix(c.want, "\n"); got != want {
				t.Errorf("calls:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// The index that a failed push leaves would keep buildah from listing its images.
func TestFailedPush(t *testing.T) {
	calls := fakeTool(t, "buildah", `[ "$2" = push ] && exit 1 || exit 0`)
	b := Request{Image: "r.example.com/shop:1", Platforms: []string{"linux/amd64", "linux/arm64"}, Tmp: t.TempDir()}
	if _, err := (containersTool{"buildah"}).Push(t.Context(), io.Discard, b); err == nil {
		t.Error("no error")
	}
	if !strings.HasSuffix(calls(), "manifest rm r.example.com/shop:1-index\n") {
		t.Errorf("calls:\n%s", calls())
	}
}

// The images of an index are one version, which is listed and removed as one, with the index that a killed deploy has
// left.
func TestIndexInStore(t *testing.T) {
	tool := containersTool{"buildah"}
	const want = "images --json\nrmi r.example.com/shop:1-index r.example.com/shop:1-linux-arm64 " +
		"r.example.com/shop:1-linux-amd64\n"
	calls := fakeTool(t, "buildah", `cat <<'EOF'
[{"names":["r.example.com/shop:1-linux-amd64"],"created":1},{"names":["r.example.com/shop:1-linux-arm64"],"created":2},
 {"names":["r.example.com/shop:1-index"],"created":3},
 {"names":["r.example.com/shop:2-dirty"],"created":4},{"names":null},{"names":["r.example.com/shop:11"],"created":0}]
EOF`)
	if err := tool.Remove(t.Context(), "r.example.com/shop:1"); err != nil || calls() != want {
		t.Errorf("%v, calls:\n%s\nwant:\n%s", err, calls(), want)
	}
	tags, err := tool.Tags(t.Context(), "r.example.com/shop")
	if got := strings.Join(tags, " "); err != nil || got != "2-dirty 1 11" {
		t.Errorf("tags %s, %v", got, err)
	}
}

// Only docker depends on how it is set up.
func TestCheckIndex(t *testing.T) {
	for _, c := range []struct{ name, tool, script, wrong string }{
		{"buildah", "buildah", "exit 1", ""},
		{"classic docker", "docker", "exit 1", "docker cannot build an image for several platforms without buildx"},
		{"docker's own store", "docker", `case $1 in info) echo '[["Backing Filesystem","extfs"]]' ;; *) echo "Name: default
Driver:        docker" ;; esac`, "docker's own builder and image store cannot hold an image for several platforms"},
		{"containerd's store", "docker", `case $1 in info) echo '[["driver-type","io.containerd.snapshotter.v1"]]' ;;
*) echo "Driver: docker" ;; esac`, ""},
		{"a builder in a container", "docker", `[ $1 = buildx ] && echo "Driver:        docker-container"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakeTool(t, c.tool, c.script)
			builder, _ := newBuilder(c.tool)
			err := CheckIndex(t.Context(), builder)
			if c.wrong == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			usage, ok := errors.AsType[*pipeline.UsageError](err)
			if !ok || !strings.Contains(err.Error(), c.wrong) || usage.Advice == "" {
				t.Errorf("error %v, want %q", err, c.wrong)
			}
		})
	}
}
