package objects

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// A workload that another app deployed, and that was handed over to a process, has a container of another name. forge
// gives the new container the old one's image. Otherwise, the deploy owns the image.
func TestHandover(t *testing.T) {
	spec, _, err := infraspec.Load("testdata/golden/processes.infraspec.yaml")
	if err != nil {
		t.Fatal(err)
	}
	deployed := metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{{
		Manager: metadata.DeployManager, Operation: metav1.ManagedFieldsOperationApply,
	}}}
	pods := func(container string) corev1.PodSpec {
		return corev1.PodSpec{Containers: []corev1.Container{{Name: container, Image: "r.io/x:1"}}}
	}
	for container, want := range map[string]string{"shop-worker": "r.io/x:1", "shop": ""} {
		d, c := &appsv1.Deployment{ObjectMeta: deployed}, &batchv1.CronJob{ObjectMeta: deployed}
		d.Spec.Template.Spec, c.Spec.JobTemplate.Spec.Template.Spec = pods(container), pods(container)
		worker, _, err := DeploymentFor(d, spec.ProcessSpec("worker"), Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if got := imageIn(worker.Spec.Template); got != want {
			t.Errorf("Deployment with container %s: image %q, want %q", container, got, want)
		}
		nightly, _, err := CronJobFor(c, spec.ProcessSpec("nightly"), Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if got := imageIn(nightly.Spec.JobTemplate.Spec.Template); got != want {
			t.Errorf("CronJob with container %s: image %q, want %q", container, got, want)
		}
	}
}

// imageIn returns the image that a Pod template sets, or "".
func imageIn(t *applycore.PodTemplateSpecApplyConfiguration) string {
	if image := t.Spec.Containers[0].Image; image != nil {
		return *image
	}
	return ""
}
