package job

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
)

// migration is the kind of a migration's Jobs.
const migration = "migrate"

// Migrate runs a migration's pod to its end; its exit code other than 0 is an *ExitError. Where values is not nil, the pod reads the app's secrets
// from a Secret of the Job's own, which goes with the Job: the app's Secret is still what the running version was shipped with.
// A migration that an earlier run has left running is waited for first, since two at once could do harm.
func Migrate(ctx context.Context, cluster *k8s.Client, r Request, pod corev1.PodSpec, values map[string][]byte) error {
	earlier, err := cluster.ListJobs(ctx, r.Namespace, r.App, migration)
	if err != nil {
		return err
	}
	for _, j := range earlier {
		if err := outlive(ctx, cluster, r, j); err != nil {
			return err
		}
	}
	return run(ctx, cluster, r, work{kind: migration, pod: pod, values: values})
}

// outlive waits until an earlier run's Job has ended, and deletes it.
func outlive(ctx context.Context, cluster *k8s.Client, r Request, j batchv1.Job) error {
	begun := j.Spec.Suspend == nil || !*j.Spec.Suspend
	if begun && j.Status.CompletionTime == nil && j.Status.Failed == 0 && j.DeletionTimestamp == nil {
		r.Say(fmt.Sprintf("waiting for Job %s: an earlier migration is still running", j.Name))
		if _, err := await(ctx, cluster, r, j.Name, hasEnded); err != nil {
			if ctx.Err() != nil {
				return err
			}
			r.Say(err.Error()) // it never began, or is gone
		}
	}
	return cluster.DeleteJob(ctx, r.Namespace, j.Name)
}

// bring makes the Job's own Secret, and lets the Job begin.
func bring(ctx context.Context, cluster *k8s.Client, j *batchv1.Job, values map[string][]byte) error {
	if err := cluster.CreateOwnedSecret(ctx, j, values); err != nil {
		return err
	}
	return cluster.ResumeJob(ctx, j.Namespace, j.Name)
}

// readOwnSecret makes a pod read the Secret named own in place of the app's.
func readOwnSecret(pod *corev1.PodSpec, apps, own string) {
	for i := range pod.Containers {
		for k := range pod.Containers[i].Env {
			if from := pod.Containers[i].Env[k].ValueFrom; from != nil && from.SecretKeyRef != nil && from.SecretKeyRef.Name == apps {
				from.SecretKeyRef.Name = own
			}
		}
	}
}
