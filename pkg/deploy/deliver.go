package deploy

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"norn/internal/command"
	"norn/pkg/pipeline"
)

// madeTag is a tag that norn makes: a commit's first digits.
var madeTag = regexp.MustCompile(`^[0-9a-f]{12}(-dirty(\.\d+)?)?$`)

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
		return pipeline.Result{}, &ToolError{"push " + r.image, err, "its output above says why; norn doctor checks the registry and the login"}
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
		return pipeline.Result{}, &ToolError{"save " + r.image, err, "its output above says why"}
	}
	name, args := loader(r.local.Kind, r.local.Name, archive)
	if !command.Installed(name) {
		return pipeline.Result{}, &UsageError{fmt.Sprintf("%s is not installed, and without a registry it takes it to load the image into the cluster", name), "name a registry with --registry or NORN_REGISTRY_URL"}
	}
	if err := command.Run(ctx, "", out, name, args...); err != nil {
		return pipeline.Result{}, &ToolError{"load " + r.image, err, "its output above says why; norn doctor checks what it takes to load images"}
	}
	return pipeline.Result{State: pipeline.Done, Detail: r.image + " into " + r.local.Kind}, nil
}

// loader is the command that loads an archive of images into a cluster of this kind.
func loader(kind, cluster, archive string) (name string, args []string) {
	switch kind {
	case "kind":
		return "kind", []string{"load", "image-archive", archive, "--name", cluster}
	case "k3d":
		return "k3d", []string{"image", "import", archive, "--cluster", cluster}
	case "minikube":
		return "minikube", []string{"image", "load", archive, "--profile", cluster}
	case "k3s":
		return "k3s", []string{"ctr", "images", "import", archive}
	case "devcluster":
		return "devcluster", []string{"load", archive}
	default:
		return "ctr", []string{"--namespace", "k8s.io", "images", "import", archive}
	}
}

// loadedSuffix tells builds of a checkout with changes apart, which share their commit: without a digest, nothing else would.
func loadedSuffix(at time.Time) string { return "." + strconv.FormatInt(at.Unix(), 10) }
