package deploy

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"norn/internal/command"
)

// containersTool is podman or buildah, which share their flags.
type containersTool struct{ name string }

// Name implements builder.
func (t containersTool) Name() string { return t.name }

// Build implements builder.
func (t containersTool) Build(ctx context.Context, out io.Writer, b buildRequest) error {
	// Not from cached layers: buildah 1.28 takes a cached "ENV VERSION=$VERSION" for any value of the build arg.
	args := []string{"build", "--layers=false", "--timestamp", b.time, "--file", b.dockerfile, "--tag", b.image}
	for _, a := range b.args {
		args = append(args, "--build-arg", a)
	}
	return command.Run(ctx, b.dir, out, t.name, append(args, b.dir)...)
}

// Push implements builder; the tool writes the digest into a file.
func (t containersTool) Push(ctx context.Context, out io.Writer, image, tmp string) (string, error) {
	file := filepath.Join(tmp, "digest")
	args := []string{"push", "--digestfile", file}
	if plainHTTP(image) {
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
