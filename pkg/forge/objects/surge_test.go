package objects

import "testing"

// A rollout needs room for one Pod more, unless its Pods end first.
func TestSurges(t *testing.T) {
	const webserver, worker = servedSpec, "app: web\nrole: worker\n"
	const strategy = "kind: Deployment\nspec: {strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}}\n"
	const claim = "volumes: [{name: a, mountPath: /a, size: 1Gi}]\n"
	for _, c := range []struct {
		name, spec, overlay string
		want                bool
	}{
		{"a web server", webserver, "", true},
		{"a worker", worker, "", true},
		{"no Pods", worker + "replicas: 0\n", "", false},
		{"a claim", webserver + claim, "", false},
		{"a cron app", "app: web\nrole: cron\nschedule: '@daily'\ncommand: x\n", "", false},
		{"an overlay", webserver, strategy, false},
		{"an overlay of a worker", worker, strategy, false},
		{"a share of no Pod", webserver, "kind: Deployment\nspec: {strategy: {rollingUpdate: {maxSurge: 0%}}}\n", false},
		{"Recreate", webserver, "kind: Deployment\nspec: {strategy: {type: Recreate}}\n", false},
		{"an overlay with mistakes", webserver, "kind: Deployment\nspec: {x: 1}\n", false},
	} {
		if got := Surges(load(t, c.spec+"overlay: overlay.yaml\n", c.overlay)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	d, err := Deployment(load(t, webserver+"overlay: overlay.yaml\n", strategy), Settings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if u := d.Spec.Strategy.RollingUpdate; u.MaxSurge.IntValue() != 0 || u.MaxUnavailable.IntValue() != 1 {
		t.Errorf("the overlay makes %+v", u)
	}
}
