package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/internal/command"
	"norn/pkg/forge/objects"
	"norn/pkg/pipeline"
)

// builder makes an image and pushes it.
type builder interface {
	// Name is the command's name.
	Name() string
	// Build makes image from the folder dir.
	Build(ctx context.Context, out io.Writer, b buildRequest) error
	// Push sends image to its registry and returns the digest it has there.
	Push(ctx context.Context, out io.Writer, image, tmp string) (string, error)
	// Save writes image into an archive.
	Save(ctx context.Context, out io.Writer, image, file string) error
	imageStore
}

// imageStore are the images that a builder keeps on this machine.
type imageStore interface {
	// Tags are a repository's tags, newest image first.
	Tags(ctx context.Context, repository string) ([]string, error)
	// Remove removes an image.
	Remove(ctx context.Context, image string) error
}

// buildRequest is one build.
type buildRequest struct {
	dir, dockerfile, image string
	platform               string   // such as linux/amd64, or "" for this machine's
	args                   []string // NAME=VALUE
	// time is the one time that the image bears, in seconds since 1970. With the commit's, the same commit makes the
	// same digest, and deploying what runs already changes nothing (reproducible-builds.org: SOURCE_DATE_EPOCH).
	time string
}

// builderNames is the order in which builders are looked for.
var builderNames = []string{"docker", "podman", "buildah", "nerdctl"}

// findBuilder returns the builder called name, or the first that is installed and works.
func findBuilder(ctx context.Context, name string) (builder, error) {
	names := builderNames
	if name != "" {
		names = []string{name}
	}
	idle := false
	for _, n := range names {
		b, ok := newBuilder(n)
		if !ok {
			return nil, &UsageError{fmt.Sprintf("builder %q is not one of %s", n, strings.Join(builderNames, ", ")), "choose one with --builder"}
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
		return nil, &UsageError{fmt.Sprintf("builder %s is not installed", name), "install it, or choose another with --builder"}
	case idle:
		return nil, &UsageError{"docker is installed, and its engine does not answer; no other builder is installed", "start docker, install another (buildah needs no engine), or ship a built image with --image"}
	}
	return nil, &UsageError{"no builder is installed: none of " + strings.Join(names, ", "), "install one (buildah needs no engine), or ship a built image with --image"}
}

func newBuilder(name string) (builder, bool) {
	switch name {
	case "docker", "nerdctl":
		return engine{name}, true
	case "podman", "buildah":
		return containersTool{name}, true
	default:
		return nil, false
	}
}

func (r *run) build(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	if r.options.Image != "" {
		return pipeline.Result{State: pipeline.Skipped, Detail: "--image"}, nil
	}
	request, err := r.buildRequest(ctx, out)
	if err != nil {
		return pipeline.Result{}, err
	}
	if err := r.builder.Build(ctx, out, request); err != nil {
		return pipeline.Result{}, &ToolError{"build " + r.image, err, "its output above says why; the same build by hand is that of " + r.spec.Build.Dockerfile + " in " + r.dir}
	}
	detail := r.builder.Name() + " made " + r.image
	if request.platform != "" {
		detail += " for " + request.platform
	}
	return pipeline.Result{State: pipeline.Done, Detail: detail}, nil
}

// buildRequest finds out what is to be built by whom.
func (r *run) buildRequest(ctx context.Context, out io.Writer) (buildRequest, error) {
	dockerfile := filepath.Join(r.source.dir, r.spec.Build.Dockerfile)
	if _, err := os.Stat(dockerfile); errors.Is(err, fs.ErrNotExist) {
		return buildRequest{}, &UsageError{fmt.Sprintf("%s has no %s", r.source.describe(), r.spec.Build.Dockerfile), "commit it, or set build.dockerfile in the infraspec"}
	}
	var err error
	if r.builder, err = findBuilder(ctx, r.options.Builder); err != nil {
		return buildRequest{}, err
	}
	if r.image, err = r.imageName(); err != nil {
		return buildRequest{}, err
	}
	platforms, err := r.cluster.Platforms(ctx)
	if err != nil {
		return buildRequest{}, err
	}
	platform := choosePlatform(platforms)
	if len(platforms) > 1 {
		pipeline.Warn(out, "the nodes are %s, and the image is built for %s alone", strings.Join(platforms, ", "), platform)
	}
	return buildRequest{
		dir: r.source.dir, dockerfile: dockerfile, image: r.image, platform: platform,
		args: []string{"VERSION=" + r.source.tag(), "BUILD_NUMBER=" + r.source.number},
		time: r.source.time,
	}, nil
}

// choosePlatform takes this machine's own where nodes have it, since others are built by emulation, if at all.
func choosePlatform(nodes []string) string {
	own := runtime.GOOS + "/" + runtime.GOARCH
	if len(nodes) == 0 || slices.Contains(nodes, own) && len(nodes) > 1 {
		return own
	}
	return nodes[0]
}

// imageName is <registry>/<app>:<tag>, or <app>:<tag> where there is no registry.
func (r *run) imageName() (string, error) {
	if r.options.Registry == "" {
		image := r.spec.App + ":" + r.source.tag()
		if r.source.dirty {
			image += loadedSuffix(time.Now())
		}
		return image, nil
	}
	return pushed(r.options.Registry, r.spec.App, r.source.tag())
}

// ShownRegistry is a registry's address without a login, which does not belong there.
func ShownRegistry(registry string) string {
	if at := strings.LastIndexByte(registry, '@'); at >= 0 && strings.Contains(registry[:at], ":") {
		return "…" + registry[at:]
	}
	return registry
}

// pushed is an image's name in a registry.
func pushed(registry, app, tag string) (string, error) {
	image := fmt.Sprintf("%s/%s:%s", strings.TrimSuffix(registry, "/"), app, tag)
	if policy, err := objects.PullPolicy(image); err != nil || policy == corev1.PullNever {
		return "", &UsageError{fmt.Sprintf("%q is no registry that a cluster could pull from", ShownRegistry(registry)), "a registry is HOST[:PORT][/PATH], without https://"}
	}
	return image, nil
}

// PlainHTTP reports whether image's registry is on this machine, where TLS is not asked for.
func PlainHTTP(image string) bool {
	host, _, _ := strings.Cut(image, "/")
	return loopback(host)
}

func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
