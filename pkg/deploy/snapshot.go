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

// snapshot dumps the migration's database, before the migration.
func (r *run) snapshot(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	if why := r.noSnapshot(); why != "" {
		return pipeline.Result{State: pipeline.Skipped, Detail: why}, nil
	}
	address, err := r.databaseURL(ctx)
	if err != nil {
		return pipeline.Result{}, err
	}
	c, err := database.ConnectionTo(r.spec.Migrations.Database, address, r.options.Database)
	if err != nil {
		return pipeline.Result{}, err
	}
	folder := database.Folder(r.dir)
	made, err := database.Dump(ctx, c, folder, database.Snapshot{Database: r.spec.Migrations.Database, Version: database.FileVersion(r.version()), Time: time.Now().UTC()}, out)
	if err != nil {
		return pipeline.Result{}, &database.SnapshotError{Database: r.spec.Migrations.Database, Err: err}
	}
	r.dumped = made.Name()
	if err := database.Retain(folder, made.Database, r.spec.Artifacts.Retain); err != nil {
		pipeline.Warn(out, "old snapshots are left: %v", err)
	}
	return pipeline.Result{State: pipeline.Done, Detail: fmt.Sprintf("%s, %s", filepath.Join(database.FolderName, made.Name()), made.Size())}, nil
}

// noSnapshot says why there is none to take, or "".
func (r *run) noSnapshot() string {
	switch {
	case r.noMigration() != "":
		return r.noMigration()
	case r.options.SkipSnapshot:
		return "--skip-snapshot"
	case r.spec.Migrations.Database == "":
		return "the infraspec has no migrations.database"
	}
	return ""
}

// Dumps reports whether a deploy of spec dumps a database before its migration.
func Dumps(spec *infraspec.Spec) bool {
	return len(spec.Migrations.Command) > 0 && spec.Migrations.Database != ""
}
