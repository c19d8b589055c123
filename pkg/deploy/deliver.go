package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"norn/internal/command"
	"norn/pkg/deploy/image"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// delivery returns the name of the step that brings the image to the cluster.
func (r *run) delivery() string {
	if r.local.Kind != "" {
		return "load"
	}
	return "push"
}

// deliver returns the step that brings the image to the cluster. The step's value is the image name for the Pods:
// after a push, with the digest.
func (r *run) deliver(src sourced, made built) pipeline.Step[string] {
	to := "to " + r.options.Registry
	if r.local.Kind != "" {
		to = "into " + strings.TrimSpace(r.local.Kind+" "+r.local.Name)
	}
	name := made.name
	if runs := src.builtBefore(made); runs != "" {
		name, to = runs, to+"; the running image was built from this commit"
	}
	step := pipeline.Step[string]{Name: r.delivery(), Plan: pipeline.Fixed(name, pipeline.Planned, to)}
	switch {
	case r.options.Image != "":
		return skipped(step.Name, made.name, r.options.given())
	case r.local.Kind != "":
		step.Run = func(ctx context.Context, out io.Writer) (string, pipeline.Result, error) {
			result, err := r.load(ctx, out, made)
			return made.name, result, err
		}
	default:
		step.Run = func(ctx context.Context, out io.Writer) (string, pipeline.Result, error) {
			digest, err := made.builder.Push(ctx, out, made.request)
			if err != nil {
				return "", pipeline.Result{}, &pipeline.ToolError{
					Doing:  "push " + made.name,
					Err:    err,
					Advice: "see its output above, or check the registry and the login with norn doctor",
				}
			}
			return made.name + "@" + digest, pipeline.Result{State: pipeline.Done, Detail: digest}, nil
		}
	}
	return step
}

// builtBefore returns the running image with its digest if it was built from the same commit as made, or from one with
// the same content; else "". A second build of a commit usually has the same digest, so a dry run expects the Pods to
// run this image.
func (s sourced) builtBefore(made built) string {
	_, digest, _ := strings.Cut(s.live.image, "@")
	if made.builder == nil || s.tree.Dirty || !metadata.SameImage(s.live.image, made.name+"@"+digest) {
		return ""
	}
	if s.live.commit != s.tree.Version() && !strings.HasPrefix(s.live.image, made.name+"@") {
		return ""
	}
	return s.live.image
}

// keep returns the running image if it is the same as image and has only another tag, and if the deploy changes nothing
// else in the Pods. Another name would replace them. An image that has not been seen running does not count. If norn
// does not know the new commit, the history would lose the running one.
func (r *run) keep(src sourced, image string) string {
	live := src.live
	if src.tree.Version() == "" {
		return image
	}
	reshaped := !r.options.VersionOnly && slices.ContainsFunc(live.all(), func(w liveWorkload) bool { return w.reshaped })
	if r.options.Force || reshaped || !metadata.SameImage(live.image, image) || !live.runs(live.image) {
		return image
	}
	return live.image
}

// save writes the image to a file.
func save(ctx context.Context, out io.Writer, made built, path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create the archive: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return made.builder.Archive(ctx, out, made.name, file)
}

// load copies the image to the node of a local cluster.
func (r *run) load(ctx context.Context, out io.Writer, made built) (pipeline.Result, error) {
	if r.local.Kind == "docker-desktop" && made.builder.Name() == "docker" {
		return pipeline.Result{State: pipeline.Skipped, Detail: "the cluster shares the builder's images"}, nil
	}
	archive := filepath.Join(r.tmp, "image.tar")
	if err := save(ctx, out, made, archive); err != nil {
		return pipeline.Result{}, &pipeline.ToolError{
			Doing:  "save " + made.name,
			Err:    err,
			Advice: "see its output above",
		}
	}
	name, args := image.Loader(r.local.Kind, r.local.Name, archive)
	if !command.Installed(name) {
		return pipeline.Result{}, &pipeline.UsageError{
			Problem: fmt.Sprintf("%s is not installed; it is needed to load images without a registry", name),
			Advice:  "install it, or set a registry with --registry or NORN_REGISTRY_URL",
		}
	}
	if err := command.Run(ctx, "", out, name, args...); err != nil {
		return pipeline.Result{}, &pipeline.ToolError{
			Doing:  "load " + made.name,
			Err:    err,
			Advice: "see its output above, or run norn doctor to check whether images can be loaded",
		}
	}
	return pipeline.Result{State: pipeline.Done, Detail: made.name + " into " + r.local.Kind}, nil
}
