package metadata

import (
	"reflect"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The fields hold a Deployment, not the annotation, which knows what they were before. The annotation of another image
// counts only for these fields.
func TestCanaryOf(t *testing.T) {
	deadline, surge := int32(300), intstr.FromString("50%")
	before := appsv1.Deployment{}
	before.Name = "shop"
	before.Spec.Template.Spec.Containers = []corev1.Container{{Name: "shop", Image: "new"}}
	before.Spec.MinReadySeconds, before.Spec.ProgressDeadlineSeconds = 7, &deadline
	before.Spec.Strategy.Type = appsv1.RollingUpdateDeploymentStrategyType
	before.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxSurge: &surge}

	c := NewCanary(&before, 3, "new", "uid", time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	text, err := c.Annotation()
	if err != nil {
		t.Fatal(err)
	}
	held := *before.DeepCopy()
	held.Annotations = map[string]string{CanaryAnnotation: text}
	if CanaryOf(&held) != nil {
		t.Error("the annotation alone holds the Deployment")
	}
	c.Hold(&held.Spec)
	if got := CanaryOf(&held); !reflect.DeepEqual(got, &c) {
		t.Errorf("got %+v, want %+v", got, c)
	}
	s := held.Spec
	if u := s.Strategy.RollingUpdate; u.MaxUnavailable.IntVal != 0 || u.MaxSurge.IntVal != 3 {
		t.Errorf("the strategy is %v", u)
	}
	if *s.ProgressDeadlineSeconds <= s.MinReadySeconds {
		t.Errorf("the API server would refuse a deadline of %d s", *s.ProgressDeadlineSeconds)
	}
	if got := Unheld(held); !reflect.DeepEqual(got.Spec, before.Spec) {
		t.Errorf("unheld: %+v, want %+v", got.Spec, before.Spec)
	}
	other := strings.Replace(text, "new", "old", 1)
	for _, lost := range []string{"", "{", `{"pods":0}`, other} {
		held.Annotations[CanaryAnnotation] = lost
		if c := CanaryOf(&held); c == nil || c.RanBefore != "" || !c.Since.IsZero() || c.Strategy.RollingUpdate == nil {
			t.Errorf("%q: %+v", lost, c)
		}
	}
	if got := Unheld(held); !reflect.DeepEqual(got.Spec, before.Spec) {
		t.Errorf("with the annotation of another image, unheld: %+v, want %+v", got.Spec, before.Spec)
	}
	if CanaryOf(nil) != nil {
		t.Error("no Deployment is held")
	}
}
