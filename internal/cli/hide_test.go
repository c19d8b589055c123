package cli

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
)

// A Pod's values are known if its template names a version that was read, or if it was created after the values were
// written.
func TestLiveSecretsKnows(t *testing.T) {
	changed := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	l := &liveSecret{versions: map[string]bool{"7": true}, exists: true, changed: changed}
	for name, c := range map[string]struct {
		version string
		created time.Duration // after the change
		want    bool
	}{
		"this version":          {"7", -time.Hour, true},
		"an older version":      {"6", -time.Hour, false},
		"no version":            {"", -time.Hour, false},
		"created later":         {"6", time.Second, true},
		"created in the second": {"6", 0, false},
	} {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Annotations:       map[string]string{metadata.SecretAnnotation: c.version},
			CreationTimestamp: metav1.NewTime(changed.Add(c.created)),
		}}
		if got := l.knows(p); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if (&liveSecret{}).knows(&corev1.Pod{}) {
		t.Error("the values of a Secret that is gone are known")
	}
}

// The values that a Pod got from a Secret that norn does not manage are known if the Pod is newer than the Secret's
// last change, or if they were read before that change. Only the keys that the Pod refers to are hidden, under their
// names in the infraspec.
func TestLiveSecretsOfOthers(t *testing.T) {
	start := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	l := &LiveSecrets{own: newLiveSecret("shop-secrets"), others: map[string]*liveSecret{}}
	hidden := map[string]string{}
	written := func(minute int, data map[string]string) *corev1.Secret {
		s := &corev1.Secret{Data: map[string][]byte{}}
		for key, value := range data {
			s.Data[key] = []byte(value)
		}
		at := metav1.NewTime(start.Add(time.Duration(minute) * time.Minute))
		fields := metav1.NewFieldsV1(`{"f:data":{}}`)
		s.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "operator", Time: &at, FieldsV1: fields}}
		return s
	}
	pod := func(name string, minute int, keys ...string) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID(name), Annotations: map[string]string{metadata.ReferencesAnnotation: "db"},
			CreationTimestamp: metav1.NewTime(start.Add(time.Duration(minute) * time.Minute)),
		}}
		c := corev1.Container{}
		for _, key := range keys {
			ref := &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "db"}, Key: key}
			c.Env = append(c.Env, corev1.EnvVar{Name: "MY_" + key, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: ref}})
		}
		p.Spec.Containers = []corev1.Container{c}
		return p
	}
	read := func(s *corev1.Secret) {
		l.others["db"].hide(s, func(name, value string) { hidden[name] = value })
	}
	knows := func(p *corev1.Pod) bool {
		used := l.usedBy(p)
		if len(used) != 1 || used[0].name != "db" {
			t.Fatalf("Pod %s uses %v", p.Name, used)
		}
		return used[0].knowsReferenced(p)
	}
	check := func(what string, p *corev1.Pod, want bool) {
		t.Helper()
		if got := knows(p); got != want {
			t.Errorf("%s: known %v, want %v", what, got, want)
		}
	}
	check("before it was read", pod("new", 2, "url"), false)
	read(written(1, map[string]string{"url": "first", "other": "unused"}))
	if len(hidden) != 1 || hidden["MY_url"] != "first" {
		t.Errorf("hidden: %v", hidden)
	}
	check("a newer Pod", pod("new", 2, "url"), true)
	check("an older Pod", pod("old", 0, "url"), false)
	check("a Pod of the same second", pod("same", 1, "url"), false)
	check("a Pod with a missing key", pod("broken", 2, "url", "nosuch"), false)
	check("another key, whose value is not hidden yet", pod("more", 2, "other"), false)
	read(written(5, map[string]string{"url": "second", "other": "unused"}))
	if hidden["MY_url"] != "second" || hidden["MY_other"] != "unused" {
		t.Errorf("hidden: %v", hidden)
	}
	check("a Pod that was known before the change", pod("new", 2, "url"), true)
	check("a Pod that was not", pod("between", 2, "url"), false)
	check("a Pod after the change", pod("newest", 6, "url", "other"), true)
	if used := l.usedBy(&corev1.Pod{Spec: pod("overlay", 9, "url").Spec}); len(used) != 0 {
		t.Errorf("a Secret of an overlay is used: %v", used)
	}
}
