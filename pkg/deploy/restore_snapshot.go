package deploy

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"norn/pkg/deploy/database"
	"norn/pkg/deploy/rollout"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// RestoreOptions are the options of a restore.
type RestoreOptions struct {
	rollout.Target
	To database.Connection // see Connection
}

// Connection returns the connection to the app's database named name, which the infraspec and its secrets determine.
func Connection(
	ctx context.Context, cluster *k8s.Client, name string, target rollout.Target, settings database.Settings,
) (database.Connection, error) {
	var values, referenced map[string]secrets.Value
	if secretDatabaseURL(target.Spec) {
		place := secrets.Place{Dir: filepath.Dir(target.Spec.Path()), Environment: target.Spec.Environment}
		var err error
		secret := appSecret{cluster, target.Spec, target.Namespace, target.Redactor}
		if _, ok := target.Spec.Reference(infraspec.DatabaseURL); ok {
			referenced, err = secret.mustReadReferenced(ctx)
		} else {
			values, err = secret.decrypt(ctx, place)
		}
		if err != nil {
			return nil, err
		}
	}
	return database.ConnectionTo(name, databaseURL(target.Spec, values, referenced), settings)
}

// RestoreSnapshot restores a database from a snapshot in one transaction: entirely or not at all. It first dumps the
// database as it is.
func RestoreSnapshot(
	ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, s database.Snapshot, o RestoreOptions,
) error {
	folder := database.Folder(filepath.Dir(o.Spec.Path()))
	runner := Options{Target: o.Target}.runner(to)
	return o.WithLock(ctx, cluster, to, func(ctx context.Context) error {
		if _, err := pipeline.RunStep(ctx, runner, dumpBeforeRestore(s.Database, folder, o.To)); err != nil {
			return err
		}
		_, err := pipeline.RunStep(ctx, runner, restoreFrom(o.To, folder, s))
		return err
	})
}

// dumpBeforeRestore returns the step that dumps the database named name into folder.
func dumpBeforeRestore(name, folder string, c database.Connection) pipeline.Step[pipeline.None] {
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		made, err := database.Dump(
			ctx, c, folder, database.Snapshot{Database: name, Version: "before-restore", Time: time.Now().UTC()}, out,
		)
		if err != nil {
			return pipeline.Result{}, &database.SnapshotError{Database: name, Err: err}
		}
		return pipeline.Result{State: pipeline.Done, Detail: filepath.Join(database.FolderName, made.Name())}, nil
	}
	return pipeline.Step[pipeline.None]{Name: "snapshot", Run: pipeline.Act(run)}
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
