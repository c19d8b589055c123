package deploy

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"norn/pkg/deploy/database"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// plans are the steps of a dry run: each only says what the real one would do.
func (r *run) plans() []pipeline.Step {
	say := func(name string, what func() string) pipeline.Step {
		return pipeline.Step{Name: name, Run: func(context.Context, io.Writer) (pipeline.Result, error) {
			return pipeline.Result{State: pipeline.Planned, Detail: what()}, nil
		}}
	}
	steps := []pipeline.Step{
		{Name: "source", Run: r.findSource},
		{Name: "build", Run: r.planBuild},
		say(r.delivery(), r.planDelivery),
		say("test", func() string { return r.ifBuilt(cmp.Or(r.spec.Build.Test, "the infraspec has no build.test")) }),
	}
	if r.options.Forge {
		steps = append(steps, say("forge", func() string { return "norn diff " + r.spec.App + " shows what would change" }))
	}
	return append(steps,
		say("snapshot", func() string {
			return cmp.Or(r.noSnapshot(), fmt.Sprintf("pg_dump of %s into %s", r.spec.Migrations.Database, database.Folder(r.dir)))
		}),
		say("migrate", func() string { return cmp.Or(r.noMigration(), commandLine(r.spec.Migrations.Command)) }),
		say("secrets", func() string { return cmp.Or(strings.Join(r.spec.Secrets, ", "), "the infraspec declares none") }),
		say("rollout", r.planRollout),
		say("cleanup", func() string { return fmt.Sprintf("images beyond the newest %d", r.spec.Artifacts.Retain) }))
}

// ifBuilt is what, where something is built.
func (r *run) ifBuilt(what string) string {
	if r.options.Image != "" {
		return "nothing: --image"
	}
	return what
}

func (r *run) planBuild(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	result := pipeline.Result{State: pipeline.Planned, Detail: "nothing: --image"}
	if r.options.Image != "" {
		return result, nil
	}
	request, err := r.buildRequest(ctx, out)
	if err != nil {
		return pipeline.Result{}, err
	}
	result.Detail = fmt.Sprintf("%s makes %s from %s", r.builder.Name(), r.image, filepath.Base(request.Dockerfile))
	if request.Platform != "" {
		result.Detail += " for " + request.Platform
	}
	return result, nil
}

func (r *run) planDelivery() string {
	if r.local.Kind != "" {
		return r.ifBuilt("into " + strings.TrimSpace(r.local.Kind+" "+r.local.Name))
	}
	return r.ifBuilt("to " + r.options.Registry)
}

func (r *run) planRollout() string {
	from := cmp.Or(r.before.image, "nothing")
	switch {
	case r.runsAlready():
		return r.image + " runs already"
	case r.spec.Role == infraspec.Cron:
		return fmt.Sprintf("the next run is of %s, the last was of %s", r.image, from)
	case r.spec.Role == infraspec.Function:
		return fmt.Sprintf("the next call is of %s, the last was of %s", r.image, from)
	}
	return fmt.Sprintf("%d pods of %s in place of %s", r.spec.Replicas, r.image, from)
}
