package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"norn/internal/command"
	"norn/pkg/deploy"
	"norn/pkg/deploy/image"
	"norn/pkg/deploy/source"
	"norn/pkg/pipeline"
)

// toolAnswer is the result of a search for a program.
type toolAnswer struct {
	tool image.Tool
	err  error
}

// working returns the program's name, or "" if the program does not work.
func (a toolAnswer) working() string {
	if a.err != nil {
		return ""
	}
	return a.tool.Name
}

// builderWait is the time limit for a builder to report its version. It is shorter than the limit of the checks that
// need the builder, so that they can continue without it.
const builderWait = 6 * time.Second

// findBuilder looks for the builder, once for all checks.
func (e *examination) findBuilder(ctx context.Context) toolAnswer {
	e.builderOnce.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, builderWait)
		defer cancel()
		e.builder.tool, e.builder.err = image.BuilderTool(ctx, e.Config.Builder)
		if errors.Is(e.builder.err, context.DeadlineExceeded) {
			e.builder.err = fmt.Errorf("%s: no answer within %s", cmp.Or(e.builder.tool.Name, "a builder"), builderWait)
		}
	})
	return e.builder
}

// builds checks the builder that a deploy would use. An app that is built here needs a builder, and a builder named in
// the settings must work.
func (e *examination) builds(ctx context.Context) Verdict {
	found := e.findBuilder(ctx)
	if found.err == nil {
		return ok("norn deploy would build with %s %s", found.tool.Name, found.tool.Version)
	}
	hint := pipeline.HintOf(found.err)
	if hint == "" {
		hint = fmt.Sprintf("start %s, which is installed but does not work, or choose another with --builder",
			found.tool.Name)
	}
	v := problem(hint, "%s", found.err)
	if !e.built() && e.Config.Builder == "" {
		v.State = Warning
		v.Detail += "; only norn deploy needs one"
	}
	return v
}

func (e *examination) hasDockerfile() bool {
	_, err := os.Stat(filepath.Join(e.folder(), e.spec.Build.Dockerfile))
	return err == nil
}

// folder returns the app's folder.
func (e *examination) folder() string { return filepath.Dir(e.spec.Path()) }

// git checks git, and finds the commit that norn deploy would deploy.
func (e *examination) git(ctx context.Context) Verdict {
	tool, err := image.FindTool(ctx, "git")
	switch {
	case err != nil && e.built():
		return problem("install git: norn builds images from a commit and names them after it", "%s", err)
	case err != nil:
		return warning("install git", "%s; only norn deploy needs it", err)
	case !e.built():
		return ok("git %s", tool.Version)
	case e.spec.Repo.URL != "":
		return ok("git %s; a deploy would clone the app from %s", tool.Version, source.RedactURL(e.spec.Repo.URL))
	}
	version, err := source.TagOf(ctx, e.folder(), e.spec.Build.Context)
	if err != nil {
		return problem(pipeline.HintOf(err), "%s", err)
	}
	return ok("git %s; norn deploy would deploy %s", tool.Version, version)
}

// snapshots checks pg_dump, which dumps the database before a migration.
func (e *examination) snapshots(ctx context.Context) Verdict {
	if !deploy.Dumps(e.spec) {
		return skipped("%s has no migration with a database to dump", e.spec.App)
	}
	const hint = "install PostgreSQL's client programs (postgresql-client), or skip the snapshot with --skip-snapshot"
	if !command.Installed("pg_dump") {
		return problem(hint,
			"pg_dump is not installed, but norn dumps database %s before its migration", e.spec.Migrations.Database)
	}
	tool, err := image.FindTool(ctx, "pg_dump")
	if err != nil {
		return problem(hint, "%s", err)
	}
	return ok("pg_dump %s would dump database %s (it must not be older than the server)",
		tool.Version, e.spec.Migrations.Database)
}
