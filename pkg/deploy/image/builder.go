// Package image builds an app's image with the builders of this machine, and pushes it or loads it into a local cluster. It
// makes no calls to Kubernetes.
package image

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"norn/internal/command"
	"norn/pkg/pipeline"
)

// Builder makes an image and pushes it.
type Builder interface {
	// Name is the command's name.
	Name() string
	// Build makes image from the folder dir.
	Build(ctx context.Context, out io.Writer, b Request) error
	// Push sends image to its registry and returns the digest it has there.
	Push(ctx context.Context, out io.Writer, image, tmp string) (string, error)
	// Save writes image into an archive.
	Save(ctx context.Context, out io.Writer, image, file string) error
	Store
}

// Store holds the images that a builder keeps on this machine.
type Store interface {
	// Tags are a repository's tags, newest image first.
	Tags(ctx context.Context, repository string) ([]string, error)
	// Remove removes an image.
	Remove(ctx context.Context, image string) error
}

// Request describes one build.
type Request struct {
	Dir, Dockerfile, Image string
	Platform               string   // such as linux/amd64, or "" for this machine's
	Args                   []string // NAME=VALUE
	// Time is the one time that the image bears, in seconds since 1970. With the commit's, the same commit makes the
	// same digest, and deploying what runs already changes nothing (reproducible-builds.org: SOURCE_DATE_EPOCH).
	Time string
}

// builderNames is the order in which builders are looked for.
var builderNames = []string{"docker", "podman", "buildah", "nerdctl"}

// FindBuilder returns the builder called name, or the first that is installed and works.
func FindBuilder(ctx context.Context, name string) (Builder, error) {
	names := builderNames
	if name != "" {
		names = []string{name}
	}
	idle := false
	for _, n := range names {
		b, ok := newBuilder(n)
		if !ok {
			return nil, &pipeline.UsageError{Problem: fmt.Sprintf("builder %q is not one of %s", n, strings.Join(builderNames, ", ")), Advice: "choose one with --builder"}
		}
		if _, err := exec.LookPath(n); err != nil {
			continue
		}
		// The docker command is often there without its engine.
		if n == "docker" && name == "" && command.Run(ctx, "", io.Discard, n, "info") != nil {
			idle = true
			continue
		}
		return b, nil
	}
	switch {
	case name != "":
		return nil, &pipeline.UsageError{Problem: fmt.Sprintf("builder %s is not installed", name), Advice: "install it, or choose another with --builder"}
	case idle:
		return nil, &pipeline.UsageError{Problem: "docker is installed, and its engine does not answer; no other builder is installed", Advice: "start docker, install another (buildah needs no engine), or ship a built image with --image"}
	}
	return nil, &pipeline.UsageError{Problem: "no builder is installed: none of " + strings.Join(names, ", "), Advice: "install one (buildah needs no engine), or ship a built image with --image"}
}

func newBuilder(name string) (Builder, bool) {
	switch name {
	case "docker", "nerdctl":
		return engine{name}, true
	case "podman", "buildah":
		return containersTool{name}, true
	default:
		return nil, false
	}
}
