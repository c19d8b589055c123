package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// engine is docker or nerdctl, which share their flags.
type engine struct{ name string }

// Name implements builder.
func (e engine) Name() string { return e.name }

// Build implements builder.
func (e engine) Build(ctx context.Context, out io.Writer, b buildRequest) error {
	args := []string{"build", "--build-arg", "SOURCE_DATE_EPOCH=" + b.time, "--file", b.dockerfile, "--tag", b.image}
	for _, a := range b.args {
		args = append(args, "--build-arg", a)
	}
	return command(ctx, b.dir, out, e.name, append(args, b.dir)...)
}

// Push implements builder; the engine notes the digest with the image it keeps.
func (e engine) Push(ctx context.Context, out io.Writer, image, _ string) (string, error) {
	args := []string{"push", image}
	if e.name == "nerdctl" && plainHTTP(image) { // docker does so for loopback by itself
		args = append(args, "--insecure-registry")
	}
	if err := command(ctx, "", out, e.name, args...); err != nil {
		return "", err
	}
	var asked bytes.Buffer
	if err := command(ctx, "", &asked, e.name, "image", "inspect", "--format", "{{json .RepoDigests}}", image); err != nil {
		return "", fmt.Errorf("ask for the pushed image's digest: %w", err)
	}
	var digests []string
	if err := json.Unmarshal(asked.Bytes(), &digests); err != nil {
		return "", fmt.Errorf("ask for the pushed image's digest: %w", err)
	}
	repository := image[:strings.LastIndexByte(image, ':')]
	for _, d := range digests {
		if digest, ok := strings.CutPrefix(d, repository+"@"); ok {
			return digest, nil
		}
	}
	return "", fmt.Errorf("ask for the pushed image's digest: %s knows none for %s", e.name, repository)
}
