package deploy

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"norn/internal/command"
	"norn/pkg/deploy/image"
	"norn/pkg/pipeline"
)

// delivery is the name of the step that brings the image to the cluster.
func (r *run) delivery() string {
	if r.local.Kind != "" {
		return "load"
	}
	return "push"
}

func (r *run) deliver(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	switch {
	case r.options.Image != "":
		return pipeline.Result{State: pipeline.Skipped, Detail: "--image"}, nil
	case r.local.Kind != "":
		return r.load(ctx, out)
	}
	digest, err := r.builder.Push(ctx, out, r.image, r.tmp)
	if err != nil {
		return pipeline.Result{}, &pipeline.ToolError{Doing: "push " + r.image, Err: err, Advice: "its output above says why; norn doctor checks the registry and the login"}
	}
	r.image += "@" + digest
	return pipeline.Result{State: pipeline.Done, Detail: digest}, nil
}

// load puts the image onto the node of a cluster on this machine.
func (r *run) load(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	if r.local.Kind == "docker-desktop" && r.builder.Name() == "docker" {
		return pipeline.Result{State: pipeline.Skipped, Detail: "the builder's images are the cluster's own"}, nil
	}
	archive := filepath.Join(r.tmp, "image.tar")
	if err := r.builder.Save(ctx, out, r.image, archive); err != nil {
		return pipeline.Result{}, &pipeline.ToolError{Doing: "save " + r.image, Err: err, Advice: "its output above says why"}
	}
	name, args := image.Loader(r.local.Kind, r.local.Name, archive)
	if !command.Installed(name) {
		return pipeline.Result{}, &pipeline.UsageError{Problem: fmt.Sprintf("%s is not installed, and without a registry it takes it to load the image into the cluster", name), Advice: "name a registry with --registry or NORN_REGISTRY_URL"}
	}
	if err := command.Run(ctx, "", out, name, args...); err != nil {
		return pipeline.Result{}, &pipeline.ToolError{Doing: "load " + r.image, Err: err, Advice: "its output above says why; norn doctor checks what it takes to load images"}
	}
	return pipeline.Result{State: pipeline.Done, Detail: r.image + " into " + r.local.Kind}, nil
}
