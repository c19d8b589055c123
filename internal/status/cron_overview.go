package status

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// runWarnings returns that the newest run of a CronJob has no Pod, if so. Its Job then waits, and no later run starts.
func runWarnings(c *batchv1.CronJob, runs []batchv1.Job) []string {
	var newest *batchv1.Job
	for i := range runs {
		j := &runs[i]
		isRun := slices.ContainsFunc(j.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == c.UID })
		if isRun && (newest == nil || newest.CreationTimestamp.Before(&j.CreationTimestamp)) {
			newest = j
		}
	}
	if newest == nil || !lacksPod(newest.Status) {
		return nil
	}
	return []string{fmt.Sprintf("Job %s has no Pod; norn status %s shows why", newest.Name, c.Labels[metadata.AppLabel])}
}

// lacksPod reports whether the Job's controller could not create a Pod. The controller writes the start of a Job
// together with the number of its Pods.
func lacksPod(s batchv1.JobStatus) bool {
	uncounted := s.UncountedTerminatedPods != nil &&
		len(s.UncountedTerminatedPods.Succeeded)+len(s.UncountedTerminatedPods.Failed) > 0
	return s.StartTime != nil && s.Active == 0 && s.Succeeded == 0 && s.Failed == 0 && len(s.Conditions) == 0 && !uncounted
}
