package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"norn/pkg/deploy/image"
	"norn/pkg/pipeline"
)

func (r *run) build(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	if r.options.Image != "" {
		return pipeline.Result{State: pipeline.Skipped, Detail: "--image"}, nil
	}
	request, err := r.buildRequest(ctx, out)
	if err != nil {
		return pipeline.Result{}, err
	}
	if err := r.builder.Build(ctx, out, request); err != nil {
		return pipeline.Result{}, &pipeline.ToolError{Doing: "build " + r.image, Err: err, Advice: "its output above says why; the same build by hand is that of " + r.spec.Build.Dockerfile + " in " + r.dir}
	}
	detail := r.builder.Name() + " made " + r.image
	if request.Platform != "" {
		detail += " for " + request.Platform
	}
	return pipeline.Result{State: pipeline.Done, Detail: detail}, nil
}

// buildRequest finds out what is to be built by whom.
func (r *run) buildRequest(ctx context.Context, out io.Writer) (image.Request, error) {
	dockerfile := filepath.Join(r.source.Dir, r.spec.Build.Dockerfile)
	if _, err := os.Stat(dockerfile); errors.Is(err, fs.ErrNotExist) {
		return image.Request{}, &pipeline.UsageError{Problem: fmt.Sprintf("%s has no %s", r.source.Describe(), r.spec.Build.Dockerfile), Advice: "commit it, or set build.dockerfile in the infraspec"}
	}
	var err error
	if r.builder, err = image.FindBuilder(ctx, r.options.Builder); err != nil {
		return image.Request{}, err
	}
	if r.image, err = r.imageName(); err != nil {
		return image.Request{}, err
	}
	platforms, err := r.cluster.Platforms(ctx)
	if err != nil {
		return image.Request{}, err
	}
	platform := image.ChoosePlatform(platforms)
	if len(platforms) > 1 {
		pipeline.Warn(out, "the nodes are %s, and the image is built for %s alone", strings.Join(platforms, ", "), platform)
	}
	return image.Request{
		Dir: r.source.Dir, Dockerfile: dockerfile, Image: r.image, Platform: platform,
		Args: []string{"VERSION=" + r.source.Tag(), "BUILD_NUMBER=" + r.source.Number},
		Time: r.source.Time,
	}, nil
}

// imageName returns <registry>/<app>:<tag>, or <app>:<tag> if there is no registry.
func (r *run) imageName() (string, error) {
	if r.options.Registry == "" {
		return image.LoadedName(r.spec.App, r.source.Tag(), time.Now()), nil
	}
	return image.PushedName(r.options.Registry, r.spec.App, r.source.Tag())
}
