package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
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
	request image.Request // zero with --image
	suits   suitability
}

// build returns the step that builds the image from the source.
func (r *run) build(src sourced) pipeline.Step[built] {
	tree := src.tree
	if r.options.Image != "" {
		return pipeline.Step[built]{Name: "build", Run: r.pin(src.live), Plan: r.pin(src.live)}
	}
	run := func(ctx context.Context, out io.Writer) (built, pipeline.Result, error) {
		made, err := r.buildRequest(ctx, out, tree)
		if err != nil {
			return built{}, pipeline.Result{}, err
		}
		watched := &image.FormatWatch{To: out}
		if err := made.builder.Build(ctx, watched, made.request); err != nil {
			failed := &pipeline.ToolError{Doing: "build " + made.name, Err: err}
			if failed.Advice = image.EmulationHint(made.request.Platforms); !watched.Seen() {
				failed.Advice = r.buildHint(ctx, made.builder.Name(), made.request, tree)
			}
			return built{}, pipeline.Result{}, failed
		}
		if err := r.checkBuilt(ctx, src.live, made); err != nil {
			return built{}, pipeline.Result{}, err
		}
		if err := r.checkPrograms(ctx, out, made); err != nil {
			return built{}, pipeline.Result{}, err
		}
		detail := made.builder.Name() + " built " + made.name + made.suits.String()
		return made, pipeline.Result{State: pipeline.Done, Detail: detail}, nil
	}
	plan := func(ctx context.Context, out io.Writer) (built, pipeline.Result, error) {
		made, err := r.buildRequest(ctx, out, tree)
		if err != nil {
			return built{}, pipeline.Result{}, err
		}
		from := filepath.Base(made.request.Dockerfile)
		detail := made.builder.Name() + " builds " + made.name + " from " + from + made.suits.String()
		return made, pipeline.Result{State: pipeline.Planned, Detail: detail}, nil
	}
	return pipeline.Step[built]{Name: "build", Run: run, Plan: plan}
}

// pin returns the function that resolves the tag of --image to a digest.
func (r *run) pin(live liveApp) pipeline.Func[built] {
	return func(ctx context.Context, out io.Writer) (built, pipeline.Result, error) {
		detail := r.options.given()
		name, err := image.Pin(ctx, out, r.options.Image, r.options.Builder, r.options.HideFunc())
		if _, digest, ok := strings.Cut(name, "@"); ok && name != r.options.Image {
			detail += ", " + digest
		}
		if err != nil {
			return built{}, pipeline.Result{}, err
		}
		made := built{name: name}
		if made.suits, err = r.suitabilityOf(ctx, out, name, live); err != nil {
			return built{}, pipeline.Result{}, err
		}
		return made, pipeline.Result{State: pipeline.Skipped, Detail: detail + made.suits.String()}, nil
	}
}

// buildRequest chooses the builder and the platforms. It returns the image that the build makes.
func (r *run) buildRequest(ctx context.Context, out io.Writer, tree source.Tree) (built, error) {
	dockerfile := filepath.Join(tree.Dir, r.spec.Build.Dockerfile)
	switch info, err := os.Stat(dockerfile); {
	case errors.Is(err, fs.ErrNotExist):
		return built{}, &pipeline.UsageError{
			Problem: fmt.Sprintf("%s has no %s", tree.Describe(), r.spec.Build.Dockerfile),
			Advice:  "commit it, or set build.dockerfile in the infraspec",
		}
	case err == nil && !info.Mode().IsRegular(): // the builder would wait for a pipe, or read a device
		return built{}, &pipeline.UsageError{
			Problem: fmt.Sprintf("%s of %s is not a regular file", r.spec.Build.Dockerfile, tree.Describe()),
			Advice:  "replace it with a file, or set build.dockerfile in the infraspec",
		}
	}
	folder, err := tree.Context(r.spec.Build.Context)
	if err != nil {
		return built{}, err
	}
	builder, err := image.FindBuilder(ctx, r.options.Builder)
	if err != nil {
		return built{}, err
	}
	name, err := r.imageName(tree)
	if err != nil {
		return built{}, err
	}
	suits, err := r.choosePlatforms(ctx, out, builder)
	if err != nil {
		return built{}, err
	}
	request := image.Request{
		Dir: folder, Dockerfile: dockerfile, Target: r.spec.Build.Target, Image: name, Platforms: suits.image,
		Args: append(buildArgs(out, dockerfile, tree), r.ownArgs()...), Time: tree.Time, Tmp: r.tmp,
	}
	return built{builder, name, request, suits}, nil
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

// ownArgs returns the infraspec's build args.
func (r *run) ownArgs() []string {
	var args []string
	for _, name := range slices.Sorted(maps.Keys(r.spec.Build.Args)) {
		args = append(args, name+"="+r.spec.Build.Args[name])
	}
	return args
}

// imageName returns <registry>/<app>:<tag>, or <app>:<tag> if there is no registry. Previews share the images of their
// app.
func (r *run) imageName(tree source.Tree) (string, error) {
	if r.options.Registry == "" {
		return image.LoadedName(r.spec.BaseApp(), tree.Tag(), time.Now()), nil
	}
	return image.PushedName(r.options.Registry, r.spec.BaseApp(), tree.Tag())
}
