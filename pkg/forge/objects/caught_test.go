package objects

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// A Service of somebody else that selects the Pods of a process is named. One that selects only those of the main
// process, or none, is not, nor is norn's own.
func TestCatches(t *testing.T) {
	spec, _, err := infraspec.Load("testdata/golden/processes.infraspec.yaml")
	if err != nil {
		t.Fatal(err)
	}
	service := func(name string, selector map[string]string) corev1.Service {
		return corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Selector: selector}}
	}
	own := service("own", map[string]string{"app": "shop-worker"})
	own.Labels = map[string]string{metadata.ManagedByLabel: metadata.ManagedBy, metadata.AppLabel: "shop"}
	own.UID = "u"
	own.Annotations = map[string]string{metadata.UIDAnnotation: "u"}
	got := Catches([]corev1.Service{
		service("main", map[string]string{"app": "shop"}), service("none", nil), own,
		service("wide", map[string]string{"app.kubernetes.io/name": "shop"}),
		service("worker", map[string]string{"app": "shop-worker"}),
	}, spec, Settings{})
	want := []Catch{
		{"wide", "admin", "app.kubernetes.io/name=shop"}, {"wide", "idle", "app.kubernetes.io/name=shop"},
		{"wide", "worker", "app.kubernetes.io/name=shop"}, {"worker", "worker", "app=shop-worker"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
