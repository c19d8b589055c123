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
	// Build builds an image. For several platforms it may also push it: docker keeps no such image on this machine.
	Build(ctx context.Context, out io.Writer, b Request) error
	// Push pushes the image that Build has built to its registry, unless Build has, and returns its digest. For several
	// platforms, this is the digest of an index of their images.
	Push(ctx context.Context, out io.Writer, b Request) (string, error)
	// Archive writes an image for one platform, as docker save does.
	Archive(ctx context.Context, out io.Writer, image string, to io.Writer) error
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
	Target                 string   // stage of the Dockerfile; "" is the last
	Platforms              []string // such as linux/amd64; none means this machine's
	Args                   []string // NAME=VALUE
	Tmp                    string   // folder for the builder's files, which Build and Push share
	// Time is the timestamp for everything in the image, in seconds since 1970. With the commit's time, the same commit
	// always yields the same digest, and deploying a running commit changes nothing
	// (reproducible-builds.org: SOURCE_DATE_EPOCH).
	Time string
}

// isIndex reports whether the image is an index of images for several platforms.
func (b Request) isIndex() bool { return len(b.Platforms) > 1 }

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
