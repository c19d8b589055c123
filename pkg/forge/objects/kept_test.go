package objects

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

const servedSpec = `app: web
role: webserver
port: 8080
healthcheck: /healthz
hosts: {internal: web}
`

func served(t *testing.T, more string) *infraspec.Spec {
	t.Helper()
	spec, _, err := infraspec.Parse("infraspec.yaml", []byte(servedSpec+more))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// forged returns a Deployment that norn manages, with a field that a manager has set.
func forged(manager, fields string) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "1", Labels: map[string]string{
		metadata.AppLabel: "web", metadata.ManagedByLabel: metadata.ManagedBy,
	}, Annotations: map[string]string{metadata.UIDAnnotation: "1"}}}
	d.ManagedFields = []metav1.ManagedFieldsEntry{
		{Manager: metadata.ForgeManager, FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:replicas":{}}}`)},
		{Manager: manager, FieldsV1: metav1.NewFieldsV1(`{"f:spec":` + fields + `}`)},
	}
	return d
}

// norn does not replace what somebody else has set, unless the infraspec asks for it.
func TestKeepsWhatOthersSet(t *testing.T) {
	const (
		hook = `{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:lifecycle":` +
			`{"f:preStop":{"f:exec":{}}}}}}}}`
		grace  = `{"f:template":{"f:spec":{"f:terminationGracePeriodSeconds":{}}}}`
		spread = `{"f:template":{"f:spec":{"f:topologySpreadConstraints":{}}}}`
		surge  = `{"f:strategy":{"f:rollingUpdate":{"f:maxSurge":{}}}}`
	)
	for _, c := range []struct {
		manager, fields, spec string
		kept                  string
	}{
		{"kubectl-patch", hook, "", "preStop"},
		{"kubectl-patch", hook, "drain: 10s", ""},
		{metadata.ForgeManager, hook, "", ""},
		{metadata.DeployManager, hook, "", ""},
		{"kubectl-patch", grace, "", "grace"},
		{"kubectl-patch", grace, "stop: 1m", ""},
		{"kubectl-patch", spread, "drain: 10s", "spread"},
		{"kubectl-edit", surge, "", "rollingUpdate"},
	} {
		live := forged(c.manager, c.fields)
		live.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64(90))
		conf, _, err := DeploymentFor(live, served(t, c.spec), Settings{})
		if err != nil {
			t.Fatal(err)
		}
		pod := conf.Spec.Template.Spec
		var got string
		for name, missing := range map[string]bool{
			"preStop": pod.Containers[0].Lifecycle == nil, "grace": pod.TerminationGracePeriodSeconds == nil,
			"spread": len(pod.TopologySpreadConstraints) == 0, "rollingUpdate": conf.Spec.Strategy.RollingUpdate == nil,
		} {
			if missing {
				got += name
			}
		}
		if got != c.kept {
			t.Errorf("%s of %s, with %q: kept %q, want %q", c.fields, c.manager, c.spec, got, c.kept)
		}
	}
}

// What the overlay sets wins over what others have set.
func TestOverlayWinsOverOthers(t *testing.T) {
	live := forged("kubectl-edit", `{"f:strategy":{"f:rollingUpdate":{}},"f:template":{"f:spec":{`+
		`"f:terminationGracePeriodSeconds":{},"f:topologySpreadConstraints":{},"f:containers":{"k:{\"name\":\"web\"}":`+
		`{"f:lifecycle":{"f:preStop":{}}}}}}}`)
	live.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64(90))
	spec := load(t, servedSpec+"overlay: overlay.yaml\n", `kind: Deployment
spec:
  strategy: {rollingUpdate: {maxSurge: 3}}
  template:
    spec:
      terminationGracePeriodSeconds: 60
      containers: [{name: web, lifecycle: {postStart: {exec: {command: [/warm]}}}}]
      topologySpreadConstraints: [{topologyKey: zone, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway}]
`)
	conf, _, err := DeploymentFor(live, spec, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	pod, surge := conf.Spec.Template.Spec, conf.Spec.Strategy.RollingUpdate
	if hooks := pod.Containers[0].Lifecycle; hooks == nil || hooks.PostStart == nil || hooks.PreStop != nil {
		t.Errorf("hooks: %+v", hooks)
	}
	if grace := pod.TerminationGracePeriodSeconds; grace == nil || *grace != 60 {
		t.Errorf("terminationGracePeriodSeconds: %v", grace)
	}
	if spread := pod.TopologySpreadConstraints; len(spread) != 1 || *spread[0].TopologyKey != "zone" {
		t.Errorf("topologySpreadConstraints: %+v", spread)
	}
	if surge == nil || surge.MaxSurge == nil || surge.MaxUnavailable != nil {
		t.Errorf("rollingUpdate: %+v", surge)
	}
}

// The containers that an overlay adds drain like the app's, unless they or somebody else have another hook. A proxy
// that ends at once would lose the requests that it passes on.
func TestSidecarsDrain(t *testing.T) {
	const overlay = `kind: Pod
spec:
  containers:
    - {name: proxy, image: proxy}
    - {name: own, image: own, lifecycle: {preStop: {exec: {command: [/drain]}}}}
    - {name: warm, image: warm, lifecycle: {postStart: {exec: {command: [/warm]}}}}
  initContainers: [{name: native, image: native, restartPolicy: Always}]
---
kind: Deployment
spec: {template: {spec: {containers: [{name: late, image: late}]}}}
`
	const others = `{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"proxy\"}":{"f:lifecycle":` +
		`{"f:preStop":{"f:exec":{}}}}}}}}`
	for _, c := range []struct {
		name, more, fields string
		settings           Settings
		want               string // the containers that sleep
	}{
		{"by default", "", "{}", Settings{}, "web proxy warm late "},
		{"without drain", "drain: 0s\n", "{}", Settings{}, ""},
		{"on an old server", "", "{}", Settings{NoDrain: true}, ""},
		{"with somebody's hook", "", others, Settings{}, "web warm late "},
	} {
		spec := load(t, servedSpec+c.more+"overlay: overlay.yaml\n", overlay)
		conf, _, err := DeploymentFor(forged("kubectl-patch", c.fields), spec, c.settings)
		if err != nil {
			t.Fatal(err)
		}
		pod, got := conf.Spec.Template.Spec, ""
		for _, container := range slices.Concat(pod.Containers, pod.InitContainers) {
			if hooks := container.Lifecycle; hooks != nil && hooks.PreStop != nil && hooks.PreStop.Sleep != nil {
				got += *container.Name + " "
			}
		}
		if got != c.want {
			t.Errorf("%s: %q sleep, want %q", c.name, got, c.want)
		}
	}
}

// norn names the changes that come from its own upgrade, and no others.
func TestNewDefaults(t *testing.T) {
	probe := func(period, failures int32) *corev1.Probe {
		return &corev1.Probe{PeriodSeconds: period, FailureThreshold: failures}
	}
	before, after := forged("x", "{}"), forged("x", "{}")
	before.Spec.Template.Spec.Containers = []corev1.Container{{
		Name: "web", StartupProbe: probe(5, 30), ReadinessProbe: probe(10, 3), LivenessProbe: probe(30, 3),
	}}
	after.Spec.Template.Spec = corev1.PodSpec{
		TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{}},
		Containers: []corev1.Container{{
			Name: "web", ReadinessProbe: probe(2, 15), LivenessProbe: probe(10, 9),
			Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}}},
		}},
	}
	for more, want := range map[string][]string{
		"":            {"probes", "preStop", "topologySpreadConstraints"},
		"drain: 9s":   {"probes", "topologySpreadConstraints"},
		"replicas: 2": {"probes", "preStop", "topologySpreadConstraints"},
	} {
		if got := NewDefaults(before, after, served(t, more)); !slices.Equal(got, want) {
			t.Errorf("with %q: %v, want %v", more, got, want)
		}
	}
	if got := NewDefaults(after, after, served(t, "")); got != nil {
		t.Errorf("without a change: %v", got)
	}
}

// An app needs a PodDisruptionBudget if one of several Pods can be evicted, and none beside somebody else's.
func TestDisruptionBudget(t *testing.T) {
	for _, c := range []struct {
		more   string
		scaled bool
		want   bool
	}{{"", false, false}, {"replicas: 2", false, true}, {"replicas: 0", false, false}, {"", true, true}} {
		if got := DisruptionBudget(served(t, c.more), Settings{}, c.scaled) != nil; got != c.want {
			t.Errorf("with %q, scaled %v: %v, want %v", c.more, c.scaled, got, c.want)
		}
	}
	if DisruptionBudget(&infraspec.Spec{App: "w", Role: infraspec.Worker, Replicas: 3}, Settings{}, true) != nil {
		t.Error("a worker has one")
	}
	budget := func(name string, selector *metav1.LabelSelector) policyv1.PodDisruptionBudget {
		return policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: policyv1.PodDisruptionBudgetSpec{Selector: selector},
		}
	}
	own := budget("web", nil)
	own.ObjectMeta = forged("x", "{}").ObjectMeta
	for _, c := range []struct {
		budget policyv1.PodDisruptionBudget
		want   string
	}{
		{own, ""},
		{budget("web", nil), "web"},
		{budget("all", &metav1.LabelSelector{}), "all"},
		{budget("none", nil), ""},
		{budget("theirs", &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}), "theirs"},
		{budget("team", &metav1.LabelSelector{MatchLabels: map[string]string{"team": "red"}}), "team"},
		{budget("shops", &metav1.LabelSelector{MatchLabels: map[string]string{"app": "shop"}}), ""},
	} {
		spec := served(t, "pod: {labels: {team: red}}\n")
		if got := OtherDisruptionBudget([]policyv1.PodDisruptionBudget{c.budget}, spec); got != c.want {
			t.Errorf("%s: %q, want %q", c.budget.Name, got, c.want)
		}
	}
}
