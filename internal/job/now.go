package job

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
)

// Now starts a run of a CronJob outside its schedule, and shows its output. The Job is the one that the schedule would
// create, so it stays as long as the schedule's own, and counts as the last run. If ctx ends first, Now deletes it. It
// fails like Command.
func Now(ctx context.Context, cluster *k8s.Client, r Request) (err error) {
	cron, err := cluster.GetCronJob(ctx, r.Namespace, r.workload())
	switch {
	case k8s.IsNotFound(err):
		return &NotDeployedError{App: r.workload(), Namespace: r.Namespace}
	case err != nil:
		return err
	case !objects.Deployed(cron) && cron.Spec.Suspend != nil && *cron.Spec.Suspend:
		return &NotDeployedError{App: r.workload(), Namespace: r.Namespace}
	}
	if err := objects.CheckWorkloadByName(objects.KindCronJob, cron, r.owner()); err != nil {
		return err
	}
	if active := cron.Status.Active; len(active) > 0 {
		r.Say(fmt.Sprintf("Job %s is still running; both runs overlap", active[0].Name))
	}
	made, err := create(ctx, cluster, runOf(cron, r))
	if err != nil {
		return err
	}
	defer func() {
		if ctx.Err() == nil {
			return
		}
		ctx, cancel := lease.CleanupContext(ctx, callTimeout)
		defer cancel()
		err = errors.Join(err, cluster.Delete(ctx, made))
	}()
	c := container(r.App)
	started, err := waitForPod(ctx, cluster, r, target{made.Name, c, c.hasStarted})
	if err != nil {
		return err
	}
	ended, err := showToEnd(ctx, cluster, r, started, target{made.Name, c, c.hasEnded})
	if err != nil {
		return err
	}
	return c.verdict(ended.Pod)
}

// runOf returns the Job of one run, as kubectl create job --from makes it.
func runOf(cron *batchv1.CronJob, r Request) *batchv1.Job {
	name := strings.TrimRight(cron.Name[:min(len(cron.Name), 45)], "-") + "-now-" + strings.ToLower(rand.Text()[:6])
	annotations := map[string]string{"cronjob.kubernetes.io/instantiate": "manual"}
	maps.Copy(annotations, cron.Spec.JobTemplate.Annotations)
	controls := true
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: cron.Namespace,
			Labels: maps.Clone(cron.Spec.JobTemplate.Labels), Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{{ // without BlockOwnerDeletion, which needs another permission
				APIVersion: batchv1.SchemeGroupVersion.String(), Kind: objects.KindCronJob,
				Name: cron.Name, UID: cron.UID, Controller: &controls,
			}},
		},
		Spec: *cron.Spec.JobTemplate.Spec.DeepCopy(),
	}
	if r.Timeout > 0 {
		seconds := max(1, int64(math.Ceil(r.Timeout.Seconds())))
		job.Spec.Template.Spec.ActiveDeadlineSeconds = &seconds
	}
	return job
}
