package deploy

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"norn/pkg/deploy/database"
	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// RestoreOptions are the options of a restore.
type RestoreOptions struct {
	rollout.Target
	Database database.Settings
}

// RestoreSnapshot restores a database from a snapshot in one transaction: entirely or not at all. It first dumps the
// database as it is.
func RestoreSnapshot(
	ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, s database.Snapshot, o RestoreOptions,
) error {
	folder := database.Folder(filepath.Dir(o.Spec.Path()))
	runner := Options{Target: o.Target}.runner(to)
	return o.WithLock(ctx, cluster, to, func(ctx context.Context) error {
		c, err := pipeline.RunStep(ctx, runner, dumpBeforeRestore(cluster, s.Database, folder, o))
		if err != nil {
			return err
		}
		_, err = pipeline.RunStep(ctx, runner, restoreFrom(c, folder, s))
		return err
	})
}

// dumpBeforeRestore returns the step that dumps the database named name into folder. The step's value is the
// connection to the database.
func dumpBeforeRestore(cluster *k8s.Client, name, folder string, o RestoreOptions) pipeline.Step[database.Connection] {
	run := func(ctx context.Context, out io.Writer) (c database.Connection, result pipeline.Result, err error) {
		var values map[string]secrets.Value
		if secretDatabaseURL(o.Spec) {
			path := filepath.Join(filepath.Dir(o.Spec.Path()), secrets.FileName)
			if values, err = (appSecret{cluster, o.Spec, o.Namespace, o.Redactor}).decrypt(ctx, path); err != nil {
				return c, result, err
			}
		}
		if c, err = database.ConnectionTo(name, databaseURL(o.Spec, values), o.Database); err != nil {
			return c, result, err
		}
		made, err := database.Dump(
			ctx, c, folder, database.Snapshot{Database: name, Version: "before-restore", Time: time.Now().UTC()}, out,
		)
		if err != nil {
			return c, result, &database.SnapshotError{Database: name, Err: err}
		}
		return c, pipeline.Result{State: pipeline.Done, Detail: filepath.Join(database.FolderName, made.Name())}, nil
	}
	return pipeline.Step[database.Connection]{Name: "snapshot", Run: run}
}

func restoreFrom(c database.Connection, folder string, s database.Snapshot) pipeline.Step[pipeline.None] {
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		if err := database.Restore(ctx, c, out, filepath.Join(folder, s.Name())); err != nil {
			return pipeline.Result{}, fmt.Errorf("restore %s (rolled back): %w", s.Name(), err)
		}
		return pipeline.Result{State: pipeline.Done, Detail: s.Name()}, nil
	}
	return pipeline.Step[pipeline.None]{Name: "restore", Run: pipeline.Act(run)}
}
