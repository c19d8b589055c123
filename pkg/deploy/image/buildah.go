package image

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"

	"norn/internal/command"
)

// containersTool is podman or buildah, which share their flags.
type containersTool struct{ name string }

// Name implements Builder.
func (t containersTool) Name() string { return t.name }

// Build implements Builder.
func (t containersTool) Build(ctx context.Context, out io.Writer, b Request) error {
	if b.isIndex() {
		return t.buildEach(ctx, out, b)
	}
	args, err := buildArgs(b, storeName(b.Image))
	if err != nil {
		return err
	}
	return t.build(ctx, out, b, args)
}

func (t containersTool) build(ctx context.Context, out io.Writer, b Request, args []string) error {
	filtered := &olderTags{to: out, own: storeName(b.Image)}
	err := command.Run(ctx, b.Dir, filtered, t.name, args...)
	return errors.Join(err, filtered.flush())
}

// buildArgs returns the arguments that build the image called tag.
func buildArgs(b Request, tag string, more ...string) ([]string, error) {
	file, err := filepath.Rel(b.Dir, b.Dockerfile) // --file takes a list: a comma in b.Dir would split it
	if err != nil {
		return nil, fmt.Errorf("find the Dockerfile: %w", err)
	}
	layers := "--layers=" + strconv.FormatBool(cacheable(b.Dockerfile, b.Args))
	args := append([]string{"build", layers, "--timestamp", b.Time, "--file", file, "--tag", tag}, more...)
	if len(b.Platforms) > 0 {
		args = append(args, "--platform", strings.Join(b.Platforms, ","))
	}
	if b.Target != "" {
		args = append(args, "--target", b.Target)
	}
	for _, a := range b.Args {
		args = append(args, "--build-arg", a)
	}
	return append(args, b.Dir), nil
}

// olderTags passes on the tool's output, except the lines with earlier tags of the same image.
type olderTags struct {
	to   io.Writer
	own  string // the tag to show
	rest []byte // the beginning of a line
}

// Write implements io.Writer.
func (o *olderTags) Write(p []byte) (int, error) {
	o.rest = append(o.rest, p...)
	at := bytes.LastIndexByte(o.rest, '\n') + 1
	var show []byte
	for line := range bytes.Lines(o.rest[:at]) {
		tag, ok := bytes.CutPrefix(line, []byte("Successfully tagged "))
		if !ok || string(bytes.TrimSpace(tag)) == o.own {
			show = append(show, line...)
		}
	}
	o.rest = append(o.rest[:0], o.rest[at:]...)
	if len(show) == 0 {
		return len(p), nil
	}
	_, err := o.to.Write(show)
	return len(p), err
}

func (o *olderTags) flush() error {
	_, err := o.to.Write(o.rest)
	return err
}

// cacheable reports whether cached layers are safe for a Dockerfile. buildah's cache considers build args only in RUN:
// it reuses a cached "ENV VERSION=$VERSION" for any value (github.com/containers/buildah issues 5501 and 5575).
func cacheable(dockerfile string, args []string) bool {
	var names []string
	for _, a := range args {
		name, _, _ := strings.Cut(a, "=")
		names = append(names, regexp.QuoteMeta(name))
	}
	buildArg := regexp.MustCompile(`\$\{?(` + strings.Join(names, "|") + `)\b`)
	return !slices.ContainsFunc(readDockerfile(dockerfile), func(i instruction) bool {
		return i.name != "RUN" && buildArg.MatchString(i.arguments)
	})
}

// storeName returns an image's name in the tool's store. A name without a registry gets docker.io, as Kubernetes reads
// it.
func storeName(image string) string {
	if named, err := reference.ParseNormalizedNamed(image); err == nil {
		return named.String()
	}
	return image
}

// Push implements Builder. The tool writes the digest to a file.
func (t containersTool) Push(ctx context.Context, out io.Writer, b Request) (string, error) {
	push := []string{"push"}
	from := b.Image
	if b.isIndex() {
		if err := t.createIndex(ctx, out, b); err != nil {
			return "", err
		}
		defer t.removeIndex(ctx, b.Image)
		push, from = []string{"manifest", "push", "--all", "--format", "oci"}, indexName(b.Image)
	}
	file := filepath.Join(b.Tmp, "digest")
	args := slices.Concat(push, []string{"--digestfile", file})
	if PlainHTTP(b.Image) {
		args = append(args, "--tls-verify=false")
	}
	if err := command.Run(ctx, "", out, t.name, append(args, from, "docker://"+b.Image)...); err != nil {
		return "", err
	}
	digest, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the pushed image's digest: %w", err)
	}
	return strings.TrimSpace(string(digest)), nil
}

// Archive implements Builder.
func (t containersTool) Archive(ctx context.Context, out io.Writer, image string, to io.Writer) error {
	args := []string{"push", storeName(image), "docker-archive:/dev/stdout:" + storeName(image)}
	return command.RunWith(ctx, command.Options{Stdout: to, Stderr: out}, t.name, args...)
}

// storedImage is an image in the JSON output of the images command.
type storedImage struct {
	Names   []string
	Created int64 // seconds since 1970
}

// Tags implements Store. An index has no tag of its own, only its images have. The JSON keys of podman and buildah
// differ only in case, which json.Unmarshal ignores.
func (t containersTool) Tags(ctx context.Context, repository string) ([]string, error) {
	names, err := t.names(ctx)
	var tags []string
	for _, name := range names {
		tag, ok := strings.CutPrefix(name, storeName(repository)+":")
		if tag = platformTag.ReplaceAllString(tag, ""); ok && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags, err
}

// names returns the names of the images in the store, newest image first.
func (t containersTool) names(ctx context.Context) ([]string, error) {
	flag := map[string][]string{"podman": {"--format", "json"}, "buildah": {"--json"}}[t.name]
	list, err := command.Output(ctx, "", io.Discard, t.name, append([]string{"images"}, flag...)...)
	if err != nil {
		return nil, err
	}
	var images []storedImage
	if err := json.Unmarshal(list, &images); err != nil {
		return nil, fmt.Errorf("read %s's list of images: %w", t.name, err)
	}
	slices.SortStableFunc(images, func(a, b storedImage) int { return cmp.Compare(b.Created, a.Created) })
	var names []string
	for _, i := range images {
		names = append(names, i.Names...)
	}
	return names, nil
}

// Remove implements Store.
func (t containersTool) Remove(ctx context.Context, image string) error {
	names, err := t.names(ctx)
	if err != nil {
		return err
	}
	of := func(name string) bool { return platformTag.ReplaceAllString(name, "") == storeName(image) }
	names = slices.DeleteFunc(names, func(name string) bool { return !of(name) })
	return command.Run(ctx, "", io.Discard, t.name, append([]string{"rmi"}, names...)...)
}
