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

// Name implements builder.
func (e engine) Name() string { return e.name }

// Build implements builder.
func (e engine) Build(ctx context.Context, out io.Writer, b Request) error {
	args := []string{"build", "--build-arg", "SOURCE_DATE_EPOCH=" + b.Time, "--file", b.Dockerfile, "--tag", b.Image}
	if b.Platform != "" {
		args = append(args, "--platform", b.Platform)
	}
	for _, a := range b.Args {
		args = append(args, "--build-arg", a)
	}
	return command.Run(ctx, b.Dir, out, e.name, append(args, b.Dir)...)
}

// Push implements builder; the engine notes the digest with the image it keeps.
func (e engine) Push(ctx context.Context, out io.Writer, image, _ string) (string, error) {
	args := []string{"push", image}
	if e.name == "nerdctl" && PlainHTTP(image) { // docker does so for loopback by itself
		args = append(args, "--insecure-registry")
	}
	if err := command.Run(ctx, "", out, e.name, args...); err != nil {
		return "", err
	}
	asked, err := command.Output(ctx, "", out, e.name, "image", "inspect", "--format", "{{json .RepoDigests}}", image)
	if err != nil {
		return "", fmt.Errorf("ask for the pushed image's digest: %w", err)
	}
	digest, err := digestOf(image, asked)
	if err != nil {
		return "", fmt.Errorf("ask %s for the pushed image's digest: %w", e.name, err)
	}
	return digest, nil
}

// Save implements builder.
func (e engine) Save(ctx context.Context, out io.Writer, image, file string) error {
	return command.Run(ctx, "", out, e.name, "save", "--output", file, image)
}

// Tags implements imageStore; both list the newest image first.
func (e engine) Tags(ctx context.Context, repository string) ([]string, error) {
	list, err := command.Output(ctx, "", io.Discard, e.name, "image", "ls", "--format", "{{.Tag}}", repository)
	return strings.Fields(string(list)), err
}

// Remove implements imageStore.
func (e engine) Remove(ctx context.Context, image string) error {
	return command.Run(ctx, "", io.Discard, e.name, "image", "rm", image)
}

// digestOf finds image's repository in a JSON list of repository@digest, which may leave docker.io out.
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
	return "", fmt.Errorf("none is known for %s", want.Name())
}
