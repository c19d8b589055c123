package deploy

import (
	"io"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// A deploy verifies what it is about to change, and nothing else.
func TestVerifyPlans(t *testing.T) {
	const app = "app: shop\nrole: worker\nverify: shop smoke | tee log\n"
	running := func(change func(*liveWorkload)) liveApp {
		live := runningImage("shop:1")
		live.template = &corev1.PodTemplateSpec{}
		live.template.Annotations = map[string]string{metadata.SecretAnnotation: "7"}
		change(&live.liveWorkload)
		return live
	}
	same := func(*liveWorkload) {}
	const planned = "1 Pod of shop:1 without requests, then shop smoke | tee log"
	for _, c := range []struct {
		name, spec string
		options    Options
		live       liveApp
		secret     string
		state      pipeline.State
		detail     string
	}{
		{"a new version", app, Options{}, runningImage("shop:0"), "", pipeline.Planned, planned},
		{"a first version", app, Options{}, liveApp{}, "", pipeline.Planned, planned},
		{"the same version", app, Options{}, running(same), "7", pipeline.Skipped, "this version is already running"},
		{"forced", app, Options{Force: true}, running(same), "7", pipeline.Planned, planned},
		{"other values", app, Options{}, running(same), "8", pipeline.Planned, planned},
		{"other settings", app, Options{}, running(func(w *liveWorkload) { w.differs = []string{"env"} }), "7",
			pipeline.Planned, planned},
		{"only the version", app, Options{VersionOnly: true},
			running(func(w *liveWorkload) { w.differs = []string{"env"} }), "7", pipeline.Skipped,
			"this version is already running"},
		{"no replicas", app + "replicas: 0\n", Options{}, liveApp{}, "", pipeline.Skipped, "the app has 0 replicas"},
		{"no verify", "app: shop\nrole: worker\n", Options{}, liveApp{}, "", "", ""},
		{"a schedule", "app: shop\nrole: cron\nschedule: '@daily'\ncommand: [x]\nverify: [x]\n", Options{}, liveApp{}, "",
			"", ""},
	} {
		r := &run{spec: parse(t, c.spec), options: c.options}
		s := shipment{sourced: sourced{live: c.live}, image: "shop:1"}
		steps := r.verify(s, prepared{secret: secretState{version: c.secret}})
		if c.state == "" {
			if len(steps) > 0 {
				t.Errorf("%s: a step", c.name)
			}
			continue
		}
		_, result, err := steps[0].Plan(t.Context(), io.Discard)
		if err != nil || result.State != c.state || result.Detail != c.detail {
			t.Errorf("%s: %+v, %v", c.name, result, err)
		}
	}
}
