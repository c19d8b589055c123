package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"norn/pkg/deploy/image"
	"norn/pkg/deploy/source"
	"norn/pkg/pipeline"
)

// built is the image to ship.
type built struct {
	builder image.Builder // nil with --image, which builds nothing
	name    string
}

// build returns the step that builds the image from tree.
func (r *run) build(tree source.Tree) pipeline.Step[built] {
	if r.options.Image != "" {
		return pipeline.Step[built]{
			Name: "build",
			Run:  r.pin(pipeline.Skipped, "--image"),
			Plan: r.pin(pipeline.Planned, "--image is set"),
		}
	}
	run := func(ctx context.Context, out io.Writer) (built, pipeline.Result, error) {
		builder, request, err := r.buildRequest(ctx, out, tree)
		if err != nil {
			return built{}, pipeline.Result{}, err
		}
		if err := builder.Build(ctx, out, request); err != nil {
			return built{}, pipeline.Result{}, &pipeline.ToolError{
				Doing:  "build " + request.Image,
				Err:    err,
				Advice: r.buildHint(ctx, builder.Name(), request, tree),
			}
		}
		detail := builder.Name() + " built " + request.Image + forPlatform(request)
		return built{builder, request.Image}, pipeline.Result{State: pipeline.Done, Detail: detail}, nil
	}
	plan := func(ctx context.Context, out io.Writer) (built, pipeline.Result, error) {
		builder, request, err := r.buildRequest(ctx, out, tree)
		if err != nil {
			return built{}, pipeline.Result{}, err
		}
		from := filepath.Base(request.Dockerfile)
		detail := builder.Name() + " builds " + request.Image + " from " + from + forPlatform(request)
		return built{builder, request.Image}, pipeline.Result{State: pipeline.Planned, Detail: detail}, nil
	}
	return pipeline.Step[built]{Name: "build", Run: run, Plan: plan}
}

// pin returns the function that resolves the tag of --image to a digest.
func (r *run) pin(state pipeline.State, detail string) pipeline.Func[built] {
	return func(ctx context.Context, out io.Writer) (built, pipeline.Result, error) {
		var hide func(name, value string)
		if r.options.Redactor != nil {
			hide = r.options.Redactor.Hide
		}
		name, err := image.Pin(ctx, out, r.options.Image, r.options.Builder, hide)
		if _, digest, ok := strings.Cut(name, "@"); ok && name != r.options.Image {
			detail += ", " + digest
		}
		return built{name: name}, pipeline.Result{State: state, Detail: detail}, err
	}
}

func forPlatform(request image.Request) string {
	if request.Platform == "" {
		return ""
	}
	return " for " + request.Platform
}

// buildRequest chooses the builder, and returns it with the description of the build.
func (r *run) buildRequest(ctx context.Context, out io.Writer, tree source.Tree) (image.Builder, image.Request, error) {
	dockerfile := filepath.Join(tree.Dir, r.spec.Build.Dockerfile)
	if _, err := os.Stat(dockerfile); errors.Is(err, fs.ErrNotExist) {
		return nil, image.Request{}, &pipeline.UsageError{
			Problem: fmt.Sprintf("%s has no %s", tree.Describe(), r.spec.Build.Dockerfile),
			Advice:  "commit it, or set build.dockerfile in the infraspec",
		}
	}
	builder, err := image.FindBuilder(ctx, r.options.Builder)
	if err != nil {
		return nil, image.Request{}, err
	}
	name, err := r.imageName(tree)
	if err != nil {
		return nil, image.Request{}, err
	}
	platforms, err := r.cluster.Platforms(ctx)
	if err != nil {
		return nil, image.Request{}, err
	}
	platform := image.ChoosePlatform(platforms)
	if len(platforms) > 1 {
		pipeline.Warn(out, "the nodes are %s, but the image is built for %s only", strings.Join(platforms, ", "), platform)
	}
	return builder, image.Request{
		Dir: tree.Dir, Dockerfile: dockerfile, Image: name, Platform: platform,
		Args: buildArgs(out, dockerfile, tree), Time: tree.Time,
	}, nil
}

// buildArgs returns the build args that norn passes. It omits a build arg that the Dockerfile uses for a base image.
func buildArgs(out io.Writer, dockerfile string, tree source.Tree) []string {
	const number = "BUILD_NUMBER"
	args := []string{"VERSION=" + tree.Tag(), number + "=" + tree.Number}
	if tree.Shallow && image.Declares(dockerfile, number) {
		pipeline.Warn(out, "%s is %s, which is too low: the repository is a shallow clone, and norn counts its commits; "+
			"run git fetch --unshallow, or clone it with its history", number, tree.Number)
	}
	for _, name := range image.BaseImageArgs(dockerfile) {
		pipeline.Warn(out, "the Dockerfile sets ARG %[1]s for its base image, so norn does not pass its own %[1]s", name)
		args = slices.DeleteFunc(args, func(arg string) bool { return strings.HasPrefix(arg, name+"=") })
	}
	return args
}

// imageName returns <registry>/<app>:<tag>, or <app>:<tag> if there is no registry.
func (r *run) imageName(tree source.Tree) (string, error) {
	if r.options.Registry == "" {
		return image.LoadedName(r.spec.App, tree.Tag(), time.Now()), nil
	}
	return image.PushedName(r.options.Registry, r.spec.App, tree.Tag())
}
