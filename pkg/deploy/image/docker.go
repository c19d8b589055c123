package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	return command.Run(ctx, b.Dir, out, e.name, e.buildArgs(b)...)
}

func (e engine) buildArgs(b Request) []string {
	args := []string{"build"}
	switch {
	case e.pushesWhileBuilding(b):
		// Provenance contains the time of the build, so the digest would not depend on the commit alone.
		args = []string{"buildx", "build", "--provenance=false", "--push", "--metadata-file", e.metadata(b)}
	case e.name == "docker" && os.Getenv("BUILDX_BUILDER") != "":
		args = append(args, "--load") // else a builder in a container keeps the image to itself
	}
	args = append(args, "--build-arg", "SOURCE_DATE_EPOCH="+b.Time, "--file", b.Dockerfile, "--tag", b.Image)
	if len(b.Platforms) > 0 {
		args = append(args, "--platform", strings.Join(b.Platforms, ","))
	}
	if b.Target != "" {
		args = append(args, "--target", b.Target)
	}
	for _, a := range b.Args {
		args = append(args, "--build-arg", a)
	}
	return append(args, b.Dir)
}

// pushesWhileBuilding reports whether Build also pushes. Only some of docker's image stores can hold an index.
func (e engine) pushesWhileBuilding(b Request) bool { return e.name == "docker" && b.isIndex() }

// metadata returns the file in which docker buildx build records the digest.
func (e engine) metadata(b Request) string { return filepath.Join(b.Tmp, "metadata.json") }

// Push implements Builder. The engine records the digest in its own copy of the image.
func (e engine) Push(ctx context.Context, out io.Writer, b Request) (string, error) {
	if e.pushesWhileBuilding(b) {
		return pushedDigest(e.metadata(b))
	}
	if err := command.Run(ctx, "", out, e.name, e.pushArgs(b)...); err != nil {
		return "", err
	}
	digests, err := command.Output(ctx, "", out, e.name, "image", "inspect", "--format", "{{json .RepoDigests}}", b.Image)
	if err != nil {
		return "", fmt.Errorf("read the pushed image's digest: %w", err)
	}
	digest, err := digestOf(b.Image, digests)
	if err != nil {
		return "", fmt.Errorf("read the pushed image's digest from %s: %w", e.name, err)
	}
	return digest, nil
}

func (e engine) pushArgs(b Request) []string {
	args := []string{"push", b.Image}
	if e.name == "nerdctl" && b.isIndex() {
		args = append(args, "--all-platforms")
	}
	if e.name == "nerdctl" && PlainHTTP(b.Image) { // docker allows plain HTTP on loopback addresses by default
		args = append(args, "--insecure-registry")
	}
	return args
}

// pushedDigest returns the digest in the metadata of docker buildx build (docs.docker.com: docker buildx build,
// --metadata-file).
func pushedDigest(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the pushed image's digest: %w", err)
	}
	var made struct {
		Digest string `json:"containerimage.digest"`
	}
	if err := json.Unmarshal(data, &made); err != nil || made.Digest == "" {
		return "", errors.New("docker buildx build returned no digest")
	}
	return made.Digest, nil
}

// Archive implements Builder.
func (e engine) Archive(ctx context.Context, out io.Writer, image string, to io.Writer) error {
	return command.RunWith(ctx, command.Options{Stdout: to, Stderr: out}, e.name, "save", image)
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
