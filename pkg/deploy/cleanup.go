package deploy

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"norn/pkg/deploy/image"
	"norn/pkg/pipeline"
)

// cleanup returns the step that removes what only the old version needed: secrets that the infraspec has dropped, the
// copy of the source, and images on this machine beyond artifacts.retain. A failure is only a warning, because the
// deploy has succeeded.
func (r *run) cleanup(s sourced, made built, secret secretState) pipeline.Step[pipeline.None] {
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		r.dropSecrets(ctx, out, s, secret)
		if err := os.RemoveAll(s.tree.Copied); err != nil {
			pipeline.Warn(out, "%v", err)
		}
		if made.builder == nil {
			return pipeline.Result{State: pipeline.Skipped, Detail: "nothing was built"}, nil
		}
		return r.removeImages(ctx, out, made), nil
	}
	plan := planned(fmt.Sprintf("removes images beyond the newest %d", r.spec.Artifacts.Retain))
	if r.options.Image != "" {
		plan = pipeline.Fixed(pipeline.None{}, pipeline.Skipped, "nothing was built")
	}
	return pipeline.Step[pipeline.None]{Name: "cleanup", Run: pipeline.Act(run), Plan: plan}
}

// removeImages removes the app's images beyond artifacts.retain from this machine.
func (r *run) removeImages(ctx context.Context, out io.Writer, made built) pipeline.Result {
	repository := made.name[:strings.LastIndexByte(made.name, ':')]
	tags, err := made.builder.Tags(ctx, repository)
	if err != nil {
		pipeline.Warn(out, "old images were not removed: %v", err)
		return pipeline.Result{State: pipeline.Done}
	}
	removed := 0
	for _, tag := range image.Beyond(tags, r.spec.Artifacts.Retain) {
		if err := made.builder.Remove(ctx, repository+":"+tag); err != nil {
			pipeline.Warn(out, "image %s:%s was not removed: %v", repository, tag, err)
			continue
		}
		removed++
	}
	return pipeline.Result{
		State:  pipeline.Done,
		Detail: fmt.Sprintf("removed %d of %d images from this machine", removed, len(tags)),
	}
}
