package metadata

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// norn manages the containers that it has applied, in a Deployment and in a CronJob. Others have added the rest.
func TestManagedContainers(t *testing.T) {
	entry := func(manager, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{
			Manager: manager, Operation: metav1.ManagedFieldsOperationApply,
			FieldsV1: metav1.NewFieldsV1(fields),
		}
	}
	byHand := entry("norn", `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"update\"}":{}}}}}}`)
	byHand.Operation = metav1.ManagedFieldsOperationUpdate
	d := &appsv1.Deployment{}
	d.ManagedFields = []metav1.ManagedFieldsEntry{
		entry(ForgeManager, `{"f:spec":{"f:template":{"f:spec":{
			"f:containers":{"k:{\"name\":\"nginx\"}":{".":{}},"k:{\"name\":\"shop\"}":{".":{},
				"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{}}}}},
			"f:initContainers":{"k:{\"name\":\"first\"}":{".":{}}}}}}}`),
		entry(DeployManager, `{"f:spec":{"f:jobTemplate":{"f:spec":{"f:template":{"f:spec":{"f:containers":{
			"k:{\"name\":\"shop\"}":{"f:image":{}}}}}}}}}`),
		entry("kubectl", `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"rogue\"}":{}}}}}}`),
		byHand,
		{Manager: ForgeManager, Operation: metav1.ManagedFieldsOperationApply},
	}
	if got, want := ManagedContainers(d), []string{"first", "nginx", "shop"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
