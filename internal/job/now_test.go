package job

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A run outside the schedule has the CronJob's own template, and belongs to it. Kubernetes then keeps and deletes it
// like the schedule's own.
func TestRunOf(t *testing.T) {
	cron := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "shop-nightly", Namespace: "shops", UID: "u1"}}
	cron.Spec.JobTemplate.Labels = map[string]string{"norn/process": "nightly"}
	cron.Spec.JobTemplate.Annotations = map[string]string{"team": "a"}
	cron.Spec.JobTemplate.Spec.Template.Spec.Containers = []corev1.Container{{Name: "shop", Command: []string{"report"}}}
	job := runOf(cron, Request{App: "shop", Workload: "shop-nightly", Timeout: 90 * time.Second})
	owner := metav1.GetControllerOf(job)
	if owner == nil || owner.UID != "u1" || owner.Kind != "CronJob" || owner.BlockOwnerDeletion != nil {
		t.Errorf("owner %+v", owner)
	}
	if !strings.HasPrefix(job.Name, "shop-nightly-now-") || job.Namespace != "shops" ||
		job.Labels["norn/process"] != "nightly" || job.Annotations["team"] != "a" ||
		job.Annotations["cronjob.kubernetes.io/instantiate"] != "manual" {
		t.Errorf("metadata %+v", job.ObjectMeta)
	}
	pod := job.Spec.Template.Spec
	if pod.Containers[0].Command[0] != "report" || *pod.ActiveDeadlineSeconds != 90 {
		t.Errorf("Pod %+v", pod)
	}
	if cron.Spec.JobTemplate.Spec.Template.Spec.ActiveDeadlineSeconds != nil {
		t.Error("the CronJob has changed")
	}
}
