package deploy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"norn/internal/job"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// MigrationTimeout bounds a migration; one that takes longer is cut short.
const MigrationTimeout = time.Hour

// MigrationError says that a migration has failed, and that the running version was left alone.
type MigrationError struct{ What, Snapshot string }

// Error says how it ended.
func (e *MigrationError) Error() string {
	return "the migration failed: " + e.What + "; the running version was left alone"
}

// Hint is how to get back to before it.
func (e *MigrationError) Hint() string {
	if e.Snapshot == "" {
		return "what it had done of its work by then is in the database"
	}
	return "what it had done of its work by then is in the database; norn snapshots restore brings back " + e.Snapshot
}

// noMigration says why there is none to run, or "".
func (r *run) noMigration() string {
	switch {
	case len(r.spec.Migrations.Command) == 0:
		return "the infraspec has no migrations.command"
	case r.runsAlready():
		return "this version runs already"
	}
	return ""
}

// migrate runs the migration in the new image, as a Job.
func (r *run) migrate(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	if why := r.noMigration(); why != "" {
		return pipeline.Result{State: pipeline.Skipped, Detail: why}, nil
	}
	pod, err := objects.Migration(r.spec, r.options.Settings, r.image)
	if err != nil {
		return pipeline.Result{}, err
	}
	values, err := r.newValues(ctx)
	if err != nil {
		return pipeline.Result{}, err
	}
	request := job.Request{
		Namespace: r.options.Namespace, App: r.spec.App, Timeout: MigrationTimeout, Out: out,
		Say: func(line string) { _, _ = fmt.Fprintln(out, line) },
	}
	err = job.Migrate(ctx, r.cluster, request, *pod, values)
	if err != nil && ctx.Err() != nil {
		return pipeline.Result{}, fmt.Errorf("the migration was cut short, and the running version left alone: %w", err)
	}
	if err != nil {
		return pipeline.Result{}, &MigrationError{err.Error(), r.dumped}
	}
	r.migrated = r.version()
	return pipeline.Result{State: pipeline.Done, Detail: commandLine(r.spec.Migrations.Command)}, nil
}

// newValues are the declared secrets where they are not what the app's Secret holds, or nil.
func (r *run) newValues(ctx context.Context) (map[string][]byte, error) {
	if len(r.spec.Secrets) == 0 {
		return nil, nil
	}
	live, err := r.cluster.GetSecret(ctx, r.options.Namespace, objects.SecretName(r.spec.App))
	if err != nil && !k8s.IsNotFound(err) {
		return nil, err
	}
	values, changed := map[string][]byte{}, err != nil
	for name, v := range r.values {
		values[name] = []byte(v.Reveal())
		changed = changed || !bytes.Equal(values[name], live.Data[name])
	}
	if !changed {
		return nil, nil
	}
	return values, nil
}

// commandLine is a command as a person would type it; what the shell runs for it is what they wrote.
func commandLine(command []string) string {
	if len(command) == 3 && command[0] == "/bin/sh" && command[1] == "-c" {
		return command[2]
	}
	return strings.Join(command, " ")
}
