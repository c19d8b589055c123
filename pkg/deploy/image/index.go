package image

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"norn/internal/command"
	"norn/pkg/pipeline"
)

// platformTag matches what platformName and indexName add to an image's name.
var platformTag = regexp.MustCompile(`-((linux|windows)-[a-z0-9]+(-v[0-9]+)?|index)$`)

// platformName returns the name of an index's image for a platform in the tool's store.
func platformName(image, platform string) string {
	return storeName(image) + "-" + strings.ReplaceAll(platform, "/", "-")
}

// buildEach builds an image for each platform. buildah and podman can build all of them with one call, but then they
// leave images without a name, which nothing removes.
func (t containersTool) buildEach(ctx context.Context, out io.Writer, b Request) error {
	t.removeIndex(ctx, b.Image)
	for _, platform := range b.Platforms {
		one := b
		one.Image, one.Platforms = platformName(b.Image, platform), []string{platform}
		// The cache does not know platforms. Without a label, two images with the same content would be one.
		args, err := buildArgs(one, one.Image, "--label", "norn/platform="+platform)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "%s for %s\n", t.name, platform)
		if err := t.build(ctx, out, one, args); err != nil {
			return fmt.Errorf("build for %s: %w", platform, err)
		}
	}
	return nil
}

// indexName returns the name of an index in the tool's store. Each version has its own, so two deploys of an app cannot
// push each other's.
func indexName(image string) string { return storeName(image) + "-index" }

// createIndex creates an index of the images that buildEach has built. The caller must remove it; see removeIndex.
func (t containersTool) createIndex(ctx context.Context, out io.Writer, b Request) error {
	t.removeIndex(ctx, b.Image)
	args := []string{"manifest", "create", indexName(b.Image)}
	for _, platform := range b.Platforms {
		args = append(args, "containers-storage:"+platformName(b.Image, platform))
	}
	err := command.Run(ctx, "", out, t.name, args...)
	if err != nil {
		t.removeIndex(ctx, b.Image)
	}
	return err
}

// removeIndex removes an image's index, if there is one. With an index in its store, buildah 1.28 cannot list the
// images. A deploy that was killed leaves its index.
func (t containersTool) removeIndex(ctx context.Context, image string) {
	const limit = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	_ = command.Run(ctx, "", io.Discard, t.name, "manifest", "rm", indexName(image))
}

// CheckIndex returns a *pipeline.UsageError if the builder cannot build an image for several platforms.
func CheckIndex(ctx context.Context, builder Builder) error {
	if builder.Name() != "docker" {
		return nil
	}
	const advice = "install docker's buildx plugin, choose another builder with --builder, or name one platform in " +
		"build.platforms"
	driver, err := command.Output(ctx, "", io.Discard, "docker", "buildx", "inspect")
	if err != nil {
		return &pipeline.UsageError{
			Problem: "docker cannot build an image for several platforms without buildx: docker buildx inspect failed",
			Advice:  advice,
		}
	}
	if !dockerDriver.Match(driver) {
		return nil
	}
	// docs.docker.com: Multi-platform builds, Prerequisites.
	store, err := command.Output(ctx, "", io.Discard, "docker", "info", "--format", "{{json .DriverStatus}}")
	if err == nil && strings.Contains(string(store), "io.containerd.snapshotter") {
		return nil
	}
	return &pipeline.UsageError{
		Problem: "docker's own builder and image store cannot hold an image for several platforms",
		Advice:  "run docker buildx create --use, or turn on docker's containerd image store",
	}
}

// dockerDriver matches the driver of docker's own builder in the output of docker buildx inspect.
var dockerDriver = regexp.MustCompile(`(?m)^Driver:\s+docker$`)
