// Package image builds an app's image with a builder on this machine. It pushes the image to a registry, or prepares it
// for loading into a local cluster. It makes no calls to Kubernetes.
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

// Builder builds and pushes images. Each method writes the program's output to out.
type Builder interface {
	// Name returns the command's name.
	Name() string
	// Build builds an image.
	Build(ctx context.Context, out io.Writer, b Request) error
	// Push pushes image to its registry and returns its digest. It may write to the folder tmp.
	Push(ctx context.Context, out io.Writer, image, tmp string) (string, error)
	// Save writes image to an archive.
	Save(ctx context.Context, out io.Writer, image, file string) error
	Store
}

// Store is a builder's local image store.
type Store interface {
	// Tags returns a repository's tags, newest image first.
	Tags(ctx context.Context, repository string) ([]string, error)
	// Remove removes an image.
	Remove(ctx context.Context, image string) error
}

// Request describes one build.
type Request struct {
	Dir, Dockerfile, Image string
	Platform               string   // such as linux/amd64, or "" for this machine's
	Args                   []string // NAME=VALUE
	// Time is the timestamp for everything in the image, in seconds since 1970. With the commit's time, the same commit
	// always yields the same digest, and deploying a running commit changes nothing
	// (reproducible-builds.org: SOURCE_DATE_EPOCH).
	Time string
}

// builderNames lists the builders in order of preference.
var builderNames = []string{"docker", "podman", "buildah", "nerdctl"}

// FindBuilder returns the builder called name, or if name is "", the first that is installed and works.
func FindBuilder(ctx context.Context, name string) (Builder, error) {
	names := builderNames
	if name != "" {
		names = []string{name}
	}
	dockerDown := false
	for _, n := range names {
		b, ok := newBuilder(n)
		if !ok {
			return nil, &pipeline.UsageError{
				Problem: fmt.Sprintf("invalid builder %q: must be one of %s", n, strings.Join(builderNames, ", ")),
				Advice:  "choose one with --builder",
			}
		}
		if _, err := exec.LookPath(n); err != nil {
			continue
		}
		// The docker command is often installed without its engine.
		if n == "docker" && name == "" && command.Run(ctx, "", io.Discard, n, "info") != nil {
			dockerDown = true
			continue
		}
		return b, nil
	}
	switch {
	case name != "":
		return nil, &pipeline.UsageError{
			Problem: fmt.Sprintf("builder %s is not installed", name),
			Advice:  "install it, or choose another with --builder",
		}
	case dockerDown:
		return nil, &pipeline.UsageError{
			Problem: "docker is installed, but its engine does not respond, and no other builder is installed",
			Advice:  "start docker, install another builder (buildah needs no engine), or deploy an existing image with --image",
		}
	}
	return nil, &pipeline.UsageError{
		Problem: "no builder is installed (looked for " + strings.Join(names, ", ") + ")",
		Advice:  "install one (buildah needs no engine), or deploy an existing image with --image",
	}
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
