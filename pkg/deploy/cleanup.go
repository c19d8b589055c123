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

// cleanup removes what the next deploy does not need: the source's copy, and images on this machine beyond artifacts.retain. What cannot be removed
// does not fail a deploy that has succeeded.
func (r *run) cleanup(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	if err := os.RemoveAll(r.source.Copied); err != nil {
		pipeline.Warn(out, "%v", err)
	}
	if r.builder == nil {
		return pipeline.Result{State: pipeline.Skipped, Detail: "nothing was built"}, nil
	}
	repository := r.image
	if name, _, digested := strings.Cut(repository, "@"); digested {
		repository = name
	}
	repository = repository[:strings.LastIndexByte(repository, ':')]
	tags, err := r.builder.Tags(ctx, repository)
	if err != nil {
		pipeline.Warn(out, "old images are left: %v", err)
		return pipeline.Result{State: pipeline.Done}, nil
	}
	removed := 0
	for _, tag := range image.Beyond(tags, r.spec.Artifacts.Retain) {
		if err := r.builder.Remove(ctx, repository+":"+tag); err != nil {
			pipeline.Warn(out, "image %s:%s is left: %v", repository, tag, err)
			continue
		}
		removed++
	}
	return pipeline.Result{State: pipeline.Done, Detail: fmt.Sprintf("%d of %d images on this machine removed", removed, len(tags))}, nil
}
