package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"norn/test/bed"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// probesOf are the probes of a container.
type probesOf struct{ startup, readiness, liveness *corev1.Probe }

// BenchmarkProbes measures the time from a change of a Deployment's template until the rollout is complete, with
// norn's probes, with the probes of before, with the fewest that notice an app at once, and with none. Only the
// probes differ. Run it with make bench-probes.
func BenchmarkProbes(b *testing.B) {
	if os.Getenv("NORN_BENCH_PROBES") == "" {
		b.Skip("run make bench-probes")
	}
	w := &world{bed.New(b, bed.Shared(b))}
	w.WriteApp("moody", "app: moody\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nhosts: {internal: moody}\n"+
		"env: {PORT: \"8080\"}\n")
	w.Norn("deploy", "moody", "--image", w.MoodyImage(b, "serve"))
	var d appsv1.Deployment
	if err := json.Unmarshal([]byte(w.Kubectl("get", "deployment", "moody", "-o", "json")), &d); err != nil {
		b.Fatal(err)
	}
	w.Norn("teardown", "moody", "--yes")
	c := d.Spec.Template.Spec.Containers[0]
	variants := []struct {
		name   string
		probes probesOf
	}{
		{"readiness every second", probesOf{readiness: httpProbe(1, 3), liveness: c.LivenessProbe}},
		{"norn's", probesOf{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe}},
		{"startup every second", probesOf{httpProbe(1, 150), httpProbe(1, 3), httpProbe(10, 3)}},
		{"before: startup every 5 s", probesOf{httpProbe(5, 30), httpProbe(10, 3), httpProbe(10, 3)}},
		{"none", probesOf{}},
	}
	for _, replicas := range []int32{1, 4, 10} {
		times := make([][]time.Duration, len(variants))
		for range 2 { // in turn, so that a slow moment of the machine does not hit one alone
			for i, v := range variants {
				times[i] = append(times[i], w.rollouts(plain(d, replicas, v.probes), 3)...)
			}
		}
		least := middle(times[0])
		for i, v := range variants {
			fmt.Printf("%2d replicas, %-26s %5.1f s, %.2f of the first\n",
				replicas, v.name, middle(times[i]).Seconds(), ratio(middle(times[i]), least))
		}
	}
}

func httpProbe(period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		PeriodSeconds: period, FailureThreshold: failures,
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt(8080)}},
	}
}

// plain returns a Deployment like d that norn does not manage, with other probes.
func plain(d appsv1.Deployment, replicas int32, p probesOf) *appsv1.Deployment {
	labels := map[string]string{"app": "probed"}
	out := &appsv1.Deployment{Spec: *d.Spec.DeepCopy()}
	out.APIVersion, out.Kind, out.Name = "apps/v1", "Deployment", "probed"
	out.Spec.Replicas, out.Spec.Selector.MatchLabels = &replicas, labels
	out.Spec.Template.Labels, out.Spec.Template.Annotations = labels, nil
	out.Spec.Template.Spec.TopologySpreadConstraints = nil
	c := &out.Spec.Template.Spec.Containers[0]
	c.Lifecycle = nil // the sleep of old Pods only makes the measurement longer
	c.StartupProbe, c.ReadinessProbe, c.LivenessProbe = p.startup, p.readiness, p.liveness
	return out
}

// rollouts creates the Deployment, changes its template several times, and returns how long each rollout took.
func (b *world) rollouts(d *appsv1.Deployment, times int) []time.Duration {
	b.T.Helper()
	data, err := json.Marshal(d)
	if err != nil {
		b.T.Fatal(err)
	}
	create := b.KubectlCommand("create", "-f", "-")
	create.Stdin = strings.NewReader(string(data))
	bed.Run(b.T, create)
	wait := func() { b.Kubectl("rollout", "status", "deployment/probed", "--timeout=5m") }
	wait()
	var took []time.Duration
	for i := range times {
		begin := time.Now()
		b.Kubectl("set", "env", "deployment/probed", fmt.Sprint("ROUND=", i))
		wait()
		took = append(took, time.Since(begin))
		b.noneEnding()
	}
	b.Kubectl("delete", "deployment", "probed", "--cascade=foreground")
	return took
}

// noneEnding waits until the Pods of earlier versions have ended, because they take processor time.
func (b *world) noneEnding() {
	b.T.Helper()
	bed.Eventually(b.T, time.Minute, "no old Pod is left", func() bool {
		return !strings.Contains(b.Kubectl("get", "pods", "-l", "app=probed", "-o",
			"jsonpath={.items[*].metadata.deletionTimestamp}"), "T")
	})
}

// middle returns the median.
func middle(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
