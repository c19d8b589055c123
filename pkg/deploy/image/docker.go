package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/distribution/reference"

	"norn/internal/command"
)

// engine is docker or nerdctl, which share their flags.
type engine struct{ name string }

// Name implements Builder.
func (e engine) Name() string { return e.name }

// Build implements Builder.
func (e engine) Build(ctx context.Context, out io.Writer, b Request) error {
	epoch := "SOURCE_DATE_EPOCH=" + b.Time
	args := []string{"build", "--build-arg", epoch, "--file", b.Dockerfile, "--tag", b.Image}
	if b.Platform != "" {
		args = append(args, "--platform", b.Platform)
	}
	for _, a := range b.Args {
		args = append(args, "--build-arg", a)
	}
	return command.Run(ctx, b.Dir, out, e.name, append(args, b.Dir)...)
}

// Push implements Builder. The engine records the digest in its own copy of the image.
func (e engine) Push(ctx context.Context, out io.Writer, image, _ string) (string, error) {
	args := []string{"push", image}
	if e.name == "nerdctl" && PlainHTTP(image) { // docker allows plain HTTP on loopback addresses by default
		args = append(args, "--insecure-registry")
	}
	if err := command.Run(ctx, "", out, e.name, args...); err != nil {
		return "", err
	}
	digests, err := command.Output(ctx, "", out, e.name, "image", "inspect", "--format", "{{json .RepoDigests}}", image)
	if err != nil {
		return "", fmt.Errorf("read the pushed image's digest: %w", err)
	}
	digest, err := digestOf(image, digests)
	if err != nil {
		return "", fmt.Errorf("read the pushed image's digest from %s: %w", e.name, err)
	}
	return digest, nil
}

// Save implements Builder.
func (e engine) Save(ctx context.Context, out io.Writer, image, file string) error {
	return command.Run(ctx, "", out, e.name, "save", "--output", file, image)
}

// Tags implements Store. Both tools list the newest image first.
func (e engine) Tags(ctx context.Context, repository string) ([]string, error) {
	list, err := command.Output(ctx, "", io.Discard, e.name, "image", "ls", "--format", "{{.Tag}}", repository)
	return strings.Fields(string(list)), err
}

// Remove implements Store.
func (e engine) Remove(ctx context.Context, image string) error {
	return command.Run(ctx, "", io.Discard, e.name, "image", "rm", image)
}

// digestOf returns the digest of image's repository from a JSON list of REPOSITORY@DIGEST. REPOSITORY may lack
// docker.io.
func digestOf(image string, list []byte) (string, error) {
	var digests []string
	if err := json.Unmarshal(list, &digests); err != nil {
		return "", err
	}
	want, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", err
	}
	for _, d := range digests {
		got, err := reference.ParseNormalizedNamed(d)
		if digested, ok := got.(reference.Digested); err == nil && ok && got.Name() == want.Name() {
			return digested.Digest().String(), nil
		}
	}
	return "", fmt.Errorf("no digest for %s", want.Name())
}
