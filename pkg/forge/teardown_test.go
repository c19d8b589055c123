package forge

import (
	"context"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// recorded is a Reporter that records the results of steps.
type recorded []string

func (r *recorded) Report(e pipeline.Event) {
	if e.Kind == pipeline.Ended {
		*r = append(*r, e.Step+" "+string(e.Result.State)+": "+e.Result.Detail)
	}
}

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

// A plan names what a teardown would delete and keep, and makes no calls.
func TestPlanTeardownSteps(t *testing.T) {
	inventory := &k8s.Inventory{
		Deployments:  []appsv1.Deployment{{ObjectMeta: named("shop")}},
		PodTemplates: []corev1.PodTemplate{{ObjectMeta: named("shop")}},
		Services:     []corev1.Service{{ObjectMeta: named("web")}, {ObjectMeta: named("old")}},
		Claims:       []corev1.PersistentVolumeClaim{{ObjectMeta: named("shop-data")}},
	}
	stored := []*corev1.Secret{{ObjectMeta: named("shop-secrets")}}
	for _, c := range []struct {
		name string
		t    teardown
		want []string
	}{
		{"nothing", teardown{inventory: &k8s.Inventory{}}, []string{
			"Tunnel skipped: nothing to delete", "Service skipped: nothing to delete", "Workload skipped: nothing to delete",
			"Secret skipped: nothing to delete", "PersistentVolumeClaim skipped: nothing to delete",
		}},
		{"data stays", teardown{inventory: inventory, stored: stored}, []string{
			"Tunnel skipped: nothing to delete", "Service planned: would delete old, web",
			"Workload planned: would delete Deployment shop, PodTemplate shop, with its Pods",
			"Secret planned: would delete shop-secrets",
			"PersistentVolumeClaim skipped: shop-data kept with the data (--delete-data deletes both)",
		}},
		{"data is deleted", teardown{inventory: inventory, what: Removal{DeleteData: true}}, []string{
			"Tunnel skipped: nothing to delete", "Service planned: would delete old, web",
			"Workload planned: would delete Deployment shop, PodTemplate shop, with its Pods",
			"Secret skipped: nothing to delete", "PersistentVolumeClaim planned: would delete shop-data, with the data",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got recorded
			c.t.cluster = &k8s.Client{}
			_, err := pipeline.RunAll(context.Background(), pipeline.Runner{To: &got, Dry: true}, c.t.steps())
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("error %v, got %q, want %q", err, got, c.want)
			}
		})
	}
}
