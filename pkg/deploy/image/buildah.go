package image

import (
	"cmp"
	"context"
	"encoding/json"
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

// Name implements builder.
func (t containersTool) Name() string { return t.name }

// Build implements builder.
func (t containersTool) Build(ctx context.Context, out io.Writer, b Request) error {
	args := []string{"build", "--layers=" + strconv.FormatBool(cacheable(b.Dockerfile)), "--timestamp", b.Time, "--file", b.Dockerfile, "--tag", local(b.Image)}
	if b.Platform != "" {
		args = append(args, "--platform", b.Platform)
	}
	for _, a := range b.Args {
		args = append(args, "--build-arg", a)
	}
	return command.Run(ctx, b.Dir, out, t.name, append(args, b.Dir)...)
}

// stale is a use of norn's build args that buildah's cache does not see: it takes a cached "ENV VERSION=$VERSION" for any value
// (github.com/containers/buildah issues 5501 and 5575). RUN it does see.
var stale = regexp.MustCompile(`(?im)^(\s*[^R#\s]|\s*R[^U]).*\$\{?(VERSION|BUILD_NUMBER)\b`)

// cacheable reports whether a Dockerfile may be built from cached layers.
func cacheable(dockerfile string) bool {
	text, err := os.ReadFile(dockerfile)
	return err == nil && !stale.Match(text)
}

// local is the name of an image in the store, where one without a registry is docker's own, as it is to Kubernetes.
func local(image string) string {
	if named, err := reference.ParseNormalizedNamed(image); err == nil {
		return named.String()
	}
	return image
}

// Push implements builder; the tool writes the digest into a file.
func (t containersTool) Push(ctx context.Context, out io.Writer, image, tmp string) (string, error) {
	file := filepath.Join(tmp, "digest")
	args := []string{"push", "--digestfile", file}
	if PlainHTTP(image) {
		args = append(args, "--tls-verify=false")
	}
	if err := command.Run(ctx, "", out, t.name, append(args, image, "docker://"+image)...); err != nil {
		return "", err
	}
	digest, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the pushed image's digest: %w", err)
	}
	return strings.TrimSpace(string(digest)), nil
}

// Save implements builder.
func (t containersTool) Save(ctx context.Context, out io.Writer, image, file string) error {
	return command.Run(ctx, "", out, t.name, "push", local(image), "docker-archive:"+file+":"+local(image))
}

// storedImage is one of a list; its time is in seconds since 1970.
type storedImage struct {
	Names   []string
	Created int64
}

// Tags implements imageStore. The two tools' lists differ only in the case of their keys.
func (t containersTool) Tags(ctx context.Context, repository string) ([]string, error) {
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
	var tags []string
	for _, i := range images {
		for _, name := range i.Names {
			if tag, ok := strings.CutPrefix(name, local(repository)+":"); ok {
				tags = append(tags, tag)
			}
		}
	}
	return tags, nil
}

// Remove implements imageStore.
func (t containersTool) Remove(ctx context.Context, image string) error {
	return command.Run(ctx, "", io.Discard, t.name, "rmi", local(image))
}
