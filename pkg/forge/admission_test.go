package forge

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// reported records events as "kind: line".
type reported []string

func (r *reported) Report(e pipeline.Event) { *r = append(*r, string(e.Kind)+": "+e.Line) }

// A refusal that may be gone when the Pods are created is a warning.
func TestJudge(t *testing.T) {
	const (
		full  = "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"
		never = "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0"

		webhook   = `admission webhook "w" denied the request: `
		policy    = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: "
		mayRefuse = "warning: a policy may refuse"
	)
	next, image := trial{assumed: "r/shop:1"}, "r/shop:1"+anyDigest
	for _, c := range []struct {
		name, message string
		trial         trial
		said          string // "" for nothing
		refused       bool
		quota         bool
	}{
		{"Pod Security", `violates PodSecurity "restricted:latest": x`, trial{}, "", true, false},
		{"a quota without room for a new app", full, trial{full: refuse}, "", false, true},
		{"a quota without room beside old Pods", full, trial{full: warn}, "warning: there is no room", false, false},
		{"a quota that an old Pod leaves", full, trial{full: ignore}, "", false, false},
		{"a quota that has never room", never, trial{full: ignore}, "", false, true},
		{"a signature", webhook + "failed to verify image " + image + ": no signatures found", next, mayRefuse, false, false},
		{"a digest", policy + image + " is not in the list of digests", next, mayRefuse, false, false},
		{"an attestation", "image policy webhook backend denied one or more images: no", next, mayRefuse, false, false},
		{"a tag", policy + "r/shop:1 is no release", next, "", true, false},
		{"an image that exists", webhook + "r/shop:1 has no signature", trial{}, "", true, false},
		{"security beside an image", webhook + "r/shop:1 must set runAsNonRoot", next, "", true, false},
		{"Pod Security beside an image", `violates PodSecurity "baseline:latest": x (` + image + `)`, next, "", true, false},
		{"a LimitRange beside an image", "maximum cpu usage per Pod is 1, but limit is 2: " + image, next, "", true, false},
		{"an invalid image", `spec.containers[0].image: Invalid value: "` + image + `"`, next, "", true, false},
		{"a quota beside an image", full + " " + image, trial{full: refuse, assumed: "r/shop:1"}, "", false, true},
	} {
		var said reported
		a := &admission{to: &said}
		a.judge(&c.trial, c.message)
		if (len(a.refused) > 0) != c.refused || (len(a.full) > 0) != c.quota {
			t.Errorf("%s: refused %v, full %v", c.name, a.refused, a.full)
		}
		if (len(said) > 0) != (c.said != "") || len(said) > 0 && !strings.HasPrefix(said[0], c.said) {
			t.Errorf("%s: said %q, want %q", c.name, said, c.said)
		}
	}
}

// Errors of several Pods have each line and each hint once.
func TestRefusedError(t *testing.T) {
	err := &RefusedError{[]RefusedObject{{"the Pods of A", "no", "ask"}, {"the Pod of B", "never", "ask"}}}
	const want = "the cluster refuses the Pods of A: no\nthe cluster refuses the Pod of B: never"
	if err.Error() != want || err.Hint() != "ask" {
		t.Errorf("got %q, hint %q", err.Error(), err.Hint())
	}
}

func TestFullFor(t *testing.T) {
	deployment := func(kind appsv1.DeploymentStrategyType, unavailable string, running int32) *appsv1.Deployment {
		replicas, limit := int32(4), intstr.Parse(unavailable)
		d := &appsv1.Deployment{}
		d.Spec.Replicas, d.Spec.Strategy.Type = &replicas, kind
		d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxUnavailable: &limit}
		d.Status.Replicas = running
		return d
	}
	none := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: new(int32(0))}}
	rolling, recreate := appsv1.RollingUpdateDeploymentStrategyType, appsv1.RecreateDeploymentStrategyType
	for name, c := range map[string]struct {
		live, now *appsv1.Deployment
		want      onFullQuota
	}{
		"a new app":               {nil, deployment(rolling, "0", 0), refuse},
		"nothing runs":            {deployment(recreate, "0", 0), deployment(recreate, "0", 0), refuse},
		"old Pods end first":      {deployment(recreate, "0", 4), deployment(recreate, "0", 0), ignore},
		"one old Pod may end":     {deployment(rolling, "25%", 4), deployment(rolling, "25%", 0), ignore},
		"none may end":            {deployment(rolling, "0", 4), deployment(rolling, "0", 0), warn},
		"less than a Pod may end": {deployment(rolling, "20%", 4), deployment(rolling, "20%", 0), warn},
		"no Pod is wanted":        {deployment(rolling, "0", 0), none, ignore},
	} {
		if got := fullFor(c.live, c.now); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// The Pods of a trial have the image that a deploy would ship: by digest, if it comes from a registry.
func TestTrialImage(t *testing.T) {
	const digest = "@sha256:0000"
	placeholder, spec := objects.BeforeFirstDeploy("shop").Image, &infraspec.Spec{App: "shop"}
	for name, c := range map[string]struct {
		options       Options
		live          string
		image, assume string // image is a prefix
	}{
		"a forge of a new app":      {Options{NextImage: "r.io/shop:1"}, placeholder, "r.io/shop:1" + digest, "r.io/shop:1"},
		"a forge of a deployed app": {Options{NextImage: "r.io/shop:1"}, "r.io/shop:0", "r.io/shop:0", ""},
		"a deploy": {
			Options{NextImage: "r.io/shop:1", DeployFollows: true}, "r.io/shop:0", "r.io/shop:1" + digest, "r.io/shop:1",
		},
		"a local image":      {Options{NextImage: "shop:1", DeployFollows: true}, "shop:0", "shop:1", "shop:1"},
		"a digest":           {Options{NextImage: "shop@sha256:1", DeployFollows: true}, "shop:0", "shop@sha256:1", ""},
		"an unknown image":   {Options{DeployFollows: true}, "r.io/shop:0", placeholder, placeholder},
		"forge with --image": {Options{Settings: objects.Settings{Image: "r.io/shop:2"}}, "r.io/shop:2", "r.io/shop:2", ""},
	} {
		template := &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "proxy", Image: "proxy:1"}, {Name: "shop", Image: c.live},
		}}}
		trial := c.options.trialOf(objects.KindDeployment, spec, template)
		images := []string{trial.pod.Spec.Containers[0].Image, trial.pod.Spec.Containers[1].Image}
		if images[0] != "proxy:1" || !strings.HasPrefix(images[1], c.image) || trial.assumed != c.assume {
			t.Errorf("%s: images %q, assumed %q; want %q, %q", name, images, trial.assumed, c.image, c.assume)
		}
		if template.Spec.Containers[1].Image != c.live {
			t.Errorf("%s: the template has changed", name)
		}
	}
	pod := Options{}.trialOf(objects.KindCronJob, spec, &corev1.PodTemplateSpec{}).pod
	if owner := metav1.GetControllerOf(pod); owner == nil || owner.Kind != "Job" {
		t.Errorf("the Pod's owner is %+v", owner)
	}
}
