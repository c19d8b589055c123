package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"norn/internal/command"
	"norn/pkg/deploy"
	"norn/pkg/deploy/image"
	"norn/pkg/deploy/source"
)

// toolAnswer is a program that was looked for.
type toolAnswer struct {
	tool image.Tool
	err  error
}

// builderWait is how long a builder may take to say its version. It is less than the checks have that want it, so that they can go on without.
const builderWait = 6 * time.Second

// findBuilder looks for the builder once: the registry's check wants it too.
func (e *examination) findBuilder(ctx context.Context) toolAnswer {
	e.builderOnce.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, builderWait)
		defer cancel()
		e.builder.tool, e.builder.err = image.BuilderTool(ctx, e.Config.Builder)
		if errors.Is(e.builder.err, context.DeadlineExceeded) {
			e.builder.err = fmt.Errorf("%s: there was no answer within %s", cmp.Or(e.Config.Builder, "a builder"), builderWait)
		}
	})
	return e.builder
}

// builds says which builder a deploy would use. One is needed by an app that is built here, and where the settings name one.
func (e *examination) builds(ctx context.Context) Verdict {
	found := e.findBuilder(ctx)
	if found.err == nil {
		return ok("%s %s would build", found.tool.Name, found.tool.Version)
	}
	hint := hintOf(found.err)
	if hint == "" {
		hint = "start it (" + firstWord(found.err.Error()) + " is installed, and does not work), or choose another with --builder"
	}
	v := problem(hint, "%s", found.err)
	if !e.built() && e.Config.Builder == "" {
		v.State = Warning
		v.Detail += "; only norn deploy needs one"
	}
	return v
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, ":")
	return word
}

func (e *examination) hasDockerfile() bool {
	_, err := os.Stat(filepath.Join(e.folder(), e.spec.Build.Dockerfile))
	return err == nil
}

// folder is the app's.
func (e *examination) folder() string { return filepath.Dir(e.spec.Path()) }

// git looks for git, and for the commit that the app's image would be named after.
func (e *examination) git(ctx context.Context) Verdict {
	tool, err := image.FindTool(ctx, "git")
	switch {
	case err != nil && e.built():
		return problem("install git: an image is built from a commit and named after it", "%s", err)
	case err != nil:
		return warning("install git", "%s; only norn deploy needs it", err)
	case !e.built():
		return ok("git %s", tool.Version)
	case e.spec.Repo.URL != "":
		return ok("git %s; the app is cloned from %s", tool.Version, source.RedactURL(e.spec.Repo.URL))
	}
	version, err := source.TagOf(ctx, e.folder())
	if err != nil {
		return problem(hintOf(err), "%s", err)
	}
	return ok("git %s; a deploy would ship %s", tool.Version, version)
}

// snapshots looks for what dumps the database before a migration.
func (e *examination) snapshots(ctx context.Context) Verdict {
	if !deploy.Dumps(e.spec) {
		return skipped("%s has no migration that a database is dumped before", e.spec.App)
	}
	const hint = "install PostgreSQL's client programs (postgresql-client), or deploy with --skip-snapshot"
	if !command.Installed("pg_dump") {
		return problem(hint, "pg_dump is not installed, and database %s is dumped before its migration", e.spec.Migrations.Database)
	}
	tool, err := image.FindTool(ctx, "pg_dump")
	if err != nil {
		return problem(hint, "%s", err)
	}
	return ok("pg_dump %s would dump database %s (it must not be older than the server)", tool.Version, e.spec.Migrations.Database)
}
