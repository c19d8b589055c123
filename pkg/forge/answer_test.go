package forge

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// A plan asks the API server once what becomes of the workload: for the trial of its Pods and for the step. A step that
// changes the cluster asks again, because a deploy takes minutes until then.
func TestOneDryRunOfAWorkload(t *testing.T) {
	const deployment = `{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"shop"},"spec":{"replicas":2}}`
	const cronJob = `{"kind":"CronJob","apiVersion":"batch/v1","metadata":{"name":"shop"}}`
	for _, c := range []struct {
		name, spec, answer string
		kept               *answer
		calls              int32
	}{
		{"plan", "app: shop\nrole: worker\n", deployment, &answer{}, 1},
		{"plan of a cron app", "app: shop\nrole: cron\nschedule: '@daily'\ncommand: x\n", cronJob, &answer{}, 1},
		{"forge", "app: shop\nrole: worker\n", deployment, nil, 2},
	} {
		spec, _, err := infraspec.Parse("infraspec.yaml", []byte(c.spec))
		if err != nil {
			t.Fatal(err)
		}
		var calls atomic.Int32
		cluster := serverOf(t, func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			_, _ = io.WriteString(w, c.answer)
		})
		r := &run{cluster: cluster, to: &reported{}, spec: spec, live: &live{}, answers: answers{spec.App: c.kept}}
		r.options.Namespace = "shops"
		try := r.tryDeployment
		if spec.Role == infraspec.Cron {
			try = r.tryCronJob
		}
		if _, err := try(t.Context()); err != nil {
			t.Fatal(err)
		}
		step := r.workloadSteps()[0]
		if _, err := pipeline.RunStep(t.Context(), pipeline.Runner{To: r.to, Dry: true}, step); err != nil {
			t.Fatal(err)
		}
		if calls.Load() != c.calls {
			t.Errorf("%s: %d dry runs, want %d", c.name, calls.Load(), c.calls)
		}
	}
}

// Another request has another answer.
func TestSharedAnswer(t *testing.T) {
	kept, asked := &answer{}, 0
	for _, conf := range []string{"one", "one", "paused"} {
		_, err := shared(kept, conf, func() (*appsv1.Deployment, error) { asked++; return &appsv1.Deployment{}, nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
}
