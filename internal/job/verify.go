package job

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
)

// Verify runs the Pod of an infraspec's verify to its end. If it exits with a code other than 0, the error is an
// *ExitError. If norn is killed, the Job ends and disappears by itself.
func Verify(ctx context.Context, cluster *k8s.Client, r Request, pod corev1.PodSpec) error {
	return run(ctx, cluster, r, work{kind: objects.VerifyJob, pod: pod, ends: true})
}

// RemoveVerify deletes the Jobs of verify that an app has left because norn was killed.
func RemoveVerify(ctx context.Context, cluster *k8s.Client, ns, app string) error {
	earlier, err := cluster.ListJobs(ctx, ns, app, objects.VerifyJob)
	if err != nil {
		return err
	}
	for i := range earlier {
		if err := cluster.Delete(ctx, &earlier[i]); err != nil {
			return err
		}
	}
	return nil
}
