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
)

// RestoreOptions are what the restore of a snapshot needs.
type RestoreOptions struct {
	rollout.Target
	Database database.Settings
}

// RestoreSnapshot brings a database back to a snapshot, in one transaction: as a whole or not at all. What is there now is dumped first.
func RestoreSnapshot(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, s database.Snapshot, o RestoreOptions) error {
	r := &run{cluster: cluster, spec: o.Spec, options: Options{Target: o.Target, Database: o.Database}, dir: filepath.Dir(o.Spec.Path())}
	var c database.Connection
	folder := database.Folder(r.dir)
	return o.WithLock(ctx, cluster, to, func(ctx context.Context) error {
		return pipeline.Run(ctx, to, r.redacted([]pipeline.Step{
			{Name: "snapshot", Run: func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
				address, err := r.databaseURL(ctx)
				if err == nil {
					c, err = database.ConnectionTo(s.Database, address, o.Database)
				}
				if err != nil {
					return pipeline.Result{}, err
				}
				made, err := database.Dump(ctx, c, folder, database.Snapshot{Database: s.Database, Version: "before-restore", Time: time.Now().UTC()}, out)
				if err != nil {
					return pipeline.Result{}, &database.SnapshotError{Database: s.Database, Err: err}
				}
				return pipeline.Result{State: pipeline.Done, Detail: filepath.Join(database.FolderName, made.Name())}, nil
			}},
			{Name: "restore", Run: func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
				path := filepath.Join(folder, s.Name())
				err := database.Restore(ctx, c, out, path)
				if err != nil {
					return pipeline.Result{}, fmt.Errorf("restore %s, which was undone: %w", s.Name(), err)
				}
				return pipeline.Result{State: pipeline.Done, Detail: s.Name()}, nil
			}},
		}))
	})
}
