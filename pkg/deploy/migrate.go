package deploy

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"norn/internal/job"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/platform"
	"norn/pkg/pipeline"
)

// MigrationTimeout is how long a migration may take.
const MigrationTimeout = time.Hour

// MigrationError reports a failed migration. The running version is unchanged.
type MigrationError struct{ What, Snapshot string }

// Error returns how the migration ended.
func (e *MigrationError) Error() string {
	return "the migration failed: " + e.What + "; the running version is unchanged"
}

// Hint names the snapshot to restore, if there is one.
func (e *MigrationError) Hint() string {
	if e.Snapshot == "" {
		return "the migration may be partially applied"
	}
	return "the migration may be partially applied; to undo it, run norn snapshots restore " + e.Snapshot
}

// noMigration returns why there is no migration to run, or "".
func (r *run) noMigration(s shipment) string {
	switch {
	case len(r.spec.Migrations.Command) == 0:
		return "the infraspec has no migrations.command"
	case r.runsAlready(s):
		return "this version is already running"
	case r.options.Continues != nil:
		return continues
	}
	return ""
}

// migrate returns the step that runs the migration in the new image, as a Job. The step's value is the version that
// was migrated to, or "". dump is the name of the snapshot that was taken before.
func (r *run) migrate(s shipment, dump string) pipeline.Step[string] {
	if why := r.noMigration(s); why != "" {
		return skipped("migrate", "", why)
	}
	plan := pipeline.Fixed("", pipeline.Planned, commandLine(r.spec.Migrations.Command))
	run := func(ctx context.Context, out io.Writer) (string, pipeline.Result, error) {
		pod, err := objects.Migration(r.spec, r.options.Settings, s.image)
		if err != nil {
			return "", pipeline.Result{}, err
		}
		platform.Require(pod, s.platforms(s.live.pod, r.spec.App))
		values, err := r.secret.changed(ctx, s.values)
		if err != nil {
			return "", pipeline.Result{}, err
		}
		request := job.Request{
			Namespace: r.options.Namespace, App: r.spec.App, Timeout: MigrationTimeout, Out: out,
			Say:   func(line string) { _, _ = fmt.Fprintln(out, line) },
			Shows: func(ctx context.Context) bool { return r.hideReferenced(ctx, out) },
		}
		if request.Labels, request.Annotations, err = objects.JobMeta(r.spec); err != nil {
			return "", pipeline.Result{}, err
		}
		err = job.Migrate(ctx, r.cluster, request, *pod, values)
		if err != nil && ctx.Err() != nil {
			return "", pipeline.Result{}, fmt.Errorf("the migration was interrupted; the running version is unchanged: %w", err)
		}
		if err != nil {
			return "", pipeline.Result{}, &MigrationError{err.Error(), dump}
		}
		return s.version(), pipeline.Result{State: pipeline.Done, Detail: commandLine(r.spec.Migrations.Command)}, nil
	}
	return pipeline.Step[string]{Name: "migrate", Run: run, Plan: plan}
}

// commandLine returns a command as its author wrote it, without the shell that runs it.
func commandLine(command []string) string {
	if infraspec.Command(command).InShell() {
		return command[2]
	}
	return strings.Join(command, " ")
}
