package job

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// migration is the value of JobLabel for migrations.
const migration = "migrate"

// Migrate runs a migration's Pod to its end. If it exits with a code other than 0, the error is an *ExitError.
//
// If values is not nil, the Pod reads the app's secrets from a Secret of its own, because the app's Secret still
// belongs to the running version. The own Secret is deleted with the Job. Migrate first waits for a running migration
// of an earlier run, because two migrations at once could do harm.
func Migrate(ctx context.Context, cluster *k8s.Client, r Request, pod corev1.PodSpec, values map[string][]byte) error {
	earlier, err := cluster.ListJobs(ctx, r.Namespace, r.App, migration)
	if err != nil {
		return err
	}
	for _, j := range earlier {
		if err := waitForEarlier(ctx, cluster, r, j); err != nil {
			return err
		}
	}
	return run(ctx, cluster, r, work{kind: migration, pod: pod, values: values})
}

// waitForEarlier waits until the Job of an earlier run has ended, and deletes it.
func waitForEarlier(ctx context.Context, cluster *k8s.Client, r Request, j batchv1.Job) error {
	begun := j.Spec.Suspend == nil || !*j.Spec.Suspend
	if begun && j.Status.CompletionTime == nil && j.Status.Failed == 0 && j.DeletionTimestamp == nil {
		r.Say(fmt.Sprintf("waiting for Job %s: an earlier migration is still running", j.Name))
		c := container(metadata.AppContainer(&j.Spec.Template.Spec, r.App).Name)
		if _, err := waitForPod(ctx, cluster, r, target{j.Name, c, c.hasEnded}); err != nil {
			if ctx.Err() != nil {
				return err
			}
			r.Say(err.Error()) // it never started, or no longer exists
		}
	}
	return cluster.Delete(ctx, &j)
}

// startWithSecret creates the Job's own Secret, and starts the Job.
func startWithSecret(ctx context.Context, cluster *k8s.Client, j *batchv1.Job, values map[string][]byte) error {
	if err := cluster.CreateOwnedSecret(ctx, j, values); err != nil {
		return err
	}
	return cluster.ResumeJob(ctx, j.Namespace, j.Name)
}
