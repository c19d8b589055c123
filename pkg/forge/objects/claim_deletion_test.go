package objects

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Only a claim that is being deleted and that the app's Pods mount is reported, whoever manages it.
func TestCheckClaims(t *testing.T) {
	claim := func(name string, deleted bool) corev1.PersistentVolumeClaim {
		c := corev1.PersistentVolumeClaim{Spec: corev1.PersistentVolumeClaimSpec{VolumeName: "pv-1"}}
		if c.Name = name; deleted {
			c.DeletionTimestamp = &metav1.Time{Time: time.Unix(0, 0)}
		}
		return c
	}
	source := func(name string) corev1.VolumeSource {
		return corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}
	}
	pod := &corev1.PodSpec{Volumes: []corev1.Volume{{Name: "tmp"}, {Name: "data", VolumeSource: source("shop-data")}}}
	for _, c := range []struct {
		claims []corev1.PersistentVolumeClaim
		want   bool
	}{
		{nil, false},
		{[]corev1.PersistentVolumeClaim{claim("shop-data", false), claim("other", true)}, false},
		{[]corev1.PersistentVolumeClaim{claim("other", true), claim("shop-data", true)}, true},
	} {
		err := CheckClaims("shop", pod, c.claims)
		deletion, ok := errors.AsType[*ClaimDeletionError](err)
		if ok != c.want {
			t.Errorf("%v: %v", c.claims, err)
		}
		if ok && (deletion.Claim != "shop-data" || deletion.Volume != "pv-1") {
			t.Errorf("got %+v", deletion)
		}
	}
}
