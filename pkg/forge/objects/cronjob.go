package objects

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	applybatch "k8s.io/client-go/applyconfigurations/batch/v1"

	"norn/pkg/infraspec"
)

// CronJob returns a cron app's CronJob. Runs never overlap, and Kubernetes does not retry a failed run. A nil start
// leaves image, pull policy and suspend to their owner, the deploy.
func CronJob(spec *infraspec.Spec, s Settings, start *Start) (*applybatch.CronJobApplyConfiguration, error) {
	pod, err := podFor(spec, s, start)
	if err != nil {
		return nil, err
	}
	job := applybatch.JobSpec().
		WithBackoffLimit(0).
		WithTemplate(template(spec, pod.WithRestartPolicy(corev1.RestartPolicyNever)))
	if limit := spec.Timeout.Duration(); limit > 0 {
		job.WithActiveDeadlineSeconds(int64(limit.Seconds()))
	}
	c := applybatch.CronJobSpec().
		WithSchedule(spec.Schedule).
		WithConcurrencyPolicy(batchv1.ForbidConcurrent).
		WithJobTemplate(applybatch.JobTemplateSpec().WithLabels(Labels(spec)).WithSpec(job))
	if spec.Timezone != "" {
		c.WithTimeZone(spec.Timezone)
	}
	if start != nil {
		c.WithSuspend(start.Paused)
	}
	return overlaidCronJob(applybatch.CronJob(spec.Workload(), s.Namespace).WithLabels(Labels(spec)).WithSpec(c), spec)
}
