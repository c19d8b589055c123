package deploy

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"norn/pkg/deploy/database"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// snapshot returns the step that dumps the database before its migration. The step's value is the snapshot's name, or
// "".
func (r *run) snapshot(s shipment) pipeline.Step[string] {
	name, folder := r.spec.Migrations.Database, database.Folder(r.dir)
	if why := r.noSnapshot(s); why != "" {
		return skipped("snapshot", "", why)
	}
	plan := pipeline.Fixed("", pipeline.Planned, fmt.Sprintf("pg_dump of %s into %s", name, folder))
	run := func(ctx context.Context, out io.Writer) (string, pipeline.Result, error) {
		c, err := database.ConnectionTo(name, databaseURL(r.spec, s.values, s.referenced), r.options.Database)
		if err != nil {
			return "", pipeline.Result{}, err
		}
		made, err := database.Dump(
			ctx, c, folder,
			database.Snapshot{Database: name, Version: database.FileVersion(s.version()), Time: time.Now().UTC()}, out,
		)
		if err != nil {
			return "", pipeline.Result{}, &database.SnapshotError{Database: name, Err: err}
		}
		if err := database.Retain(folder, made.Database, r.spec.Artifacts.Retain); err != nil {
			pipeline.Warn(out, "old snapshots were not removed: %v", err)
		}
		detail := fmt.Sprintf("%s, %s", filepath.Join(database.FolderName, made.Name()), made.Size())
		return made.Name(), pipeline.Result{State: pipeline.Done, Detail: detail}, nil
	}
	return pipeline.Step[string]{Name: "snapshot", Run: run, Plan: plan}
}

// noSnapshot returns why there is no snapshot to take, or "".
func (r *run) noSnapshot(s shipment) string {
	why := r.noMigration(s)
	switch {
	case why != "":
		return why
	case r.options.SkipSnapshot:
		return "--skip-snapshot"
	case r.spec.Migrations.Database == "":
		return "the infraspec has no migrations.database"
	}
	return ""
}

// Dumps reports whether a deploy of spec dumps a database before the migration.
func Dumps(spec *infraspec.Spec) bool {
	return len(spec.Migrations.Command) > 0 && spec.Migrations.Database != ""
}
