package deploy

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// reading returns a revision whose Pods read keys of the app's Secret.
func reading(number int64, verified bool, replicas int32, keys ...string) k8s.Revision {
	r := revision(number, "a", verified, false, nil)
	r.Set.Status.Replicas = replicas
	for _, key := range keys {
		from := &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "shop-secrets"}, Key: key}
		env := corev1.EnvVar{Name: key, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: from}}
		r.Set.Spec.Template.Spec.Containers[0].Env = append(r.Set.Spec.Template.Spec.Containers[0].Env, env)
	}
	return r
}

// After an interrupted or failed deploy, the Deployment's own template does not read a dropped secret. The Pods that
// still run do, and so does the version that a restore goes back to.
func TestKeptSecrets(t *testing.T) {
	for _, c := range []struct {
		name      string
		revisions []k8s.Revision // without the Deployment's own template
		want      []string
	}{
		{"none", nil, nil},
		{"old Pods", []k8s.Revision{reading(2, false, 1, "B"), reading(1, true, 0)}, []string{"B"}},
		{"the version to restore", []k8s.Revision{reading(2, false, 0), reading(1, true, 0, "A", "B")}, []string{"B"}},
		{"an older version", []k8s.Revision{reading(2, true, 1, "A"), reading(1, false, 0, "B")}, nil},
		{"a key that is gone", []k8s.Revision{reading(1, true, 1, "C")}, nil},
	} {
		spec := &infraspec.Spec{App: "shop", Secrets: []string{"A"}}
		r := (&run{}).withSpec(spec)
		live := &corev1.Secret{Data: map[string][]byte{"A": []byte("1"), "B": []byte("2")}}
		own := reading(3, false, 0, "A").Set.Spec.Template.Spec
		templates := slices.Concat(readersOf(c.revisions).templates, []corev1.PodSpec{own})
		if got := r.stillRead(live, templates); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v stay, want %v", c.name, got, c.want)
		}
		if got := r.stillRead(nil, templates); len(got) > 0 {
			t.Errorf("%s: %v stay without a Secret", c.name, got)
		}
	}
}
