package status

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// onDisk writes infraspecs to folders of a new apps folder and returns that.
func onDisk(t *testing.T, specs map[string]string) string {
	t.Helper()
	apps := t.TempDir()
	for name, text := range specs {
		dir := filepath.Join(apps, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "infraspec.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return apps
}

func TestOnDisk(t *testing.T) {
	apps := onDisk(t, map[string]string{"good": "app: good\nrole: worker\n",
		"broken": "app: broken\nrole: wrker\nprot: 1\n"})
	here := onDisk(t, map[string]string{"here": "app: here\nrole: worker\n"})
	locals, err := OnDisk(filepath.Join(here, "here"), apps)
	if err != nil || len(locals) != 3 {
		t.Fatalf("%v, %v", locals, err)
	}
	if l := locals[0]; l.Name != "broken" || l.Spec != nil ||
		!strings.HasPrefix(l.Problem, `cannot be used: line 2: role "wrker"`) ||
		!strings.HasSuffix(l.Problem, "(and 1 more)") {
		t.Errorf("%+v", l)
	}
	if locals[1].Name != "good" || locals[1].Spec == nil || locals[2].Name != "here" {
		t.Errorf("%+v", locals)
	}
	if none, err := OnDisk(filepath.Join(apps, "good"), filepath.Join(apps, "nosuch")); err != nil || len(none) != 1 {
		t.Errorf("%v, %v", none, err)
	}
}

func named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(time.Unix(1000, 0)),
		Labels: map[string]string{metadata.AppLabel: name, metadata.ManagedByLabel: metadata.ManagedBy,
			objects.RoleLabel: "worker"}}
}

func deployment(name string, edit func(*appsv1.Deployment)) appsv1.Deployment {
	two := int32(2)
	d := appsv1.Deployment{ObjectMeta: named(name), Spec: appsv1.DeploymentSpec{Replicas: &two,
		Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: name,
			Image: "r.example.com/team/" + name + ":1@sha256:" + strings.Repeat("a", 64)}}}}},
		Status: appsv1.DeploymentStatus{AvailableReplicas: 2, UpdatedReplicas: 2, Replicas: 2,
			Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing,
				LastUpdateTime: metav1.NewTime(time.Unix(2000, 0))}}}}
	edit(&d)
	return d
}

// Overview recognizes each state of a Deployment.
func TestOverviewOfDeployments(t *testing.T) {
	zero, suspended := int32(0), true
	inv := &k8s.Inventory{
		Deployments: []appsv1.Deployment{
			deployment("running", func(d *appsv1.Deployment) {
				d.Annotations = map[string]string{
					metadata.CommitAnnotation: "0123456789abcdef0123-dirty",
					metadata.ImageAnnotation:  metadata.ImageOf(d.Spec.Template.Spec, d.Name),
				}
			}),
			deployment("image", func(*appsv1.Deployment) {}),
			deployment("short", func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 1 }),
			deployment("rolling", func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 1 }),
			deployment("unseen", func(d *appsv1.Deployment) { d.Generation = 5 }),
			deployment("paused", func(d *appsv1.Deployment) { d.Spec.Paused, d.Status = true, appsv1.DeploymentStatus{} }),
			deployment("held", func(d *appsv1.Deployment) { d.Spec.Paused = true }),
			deployment("stopped", func(d *appsv1.Deployment) { d.Spec.Replicas, d.Status.AvailableReplicas = &zero, 0 }),
		},
		CronJobs: []batchv1.CronJob{{ObjectMeta: named("nightly")},
			{ObjectMeta: named("waiting"), Spec: batchv1.CronJobSpec{Suspend: &suspended}}},
		Services: []corev1.Service{{ObjectMeta: named("running")}},
	}
	apps := Overview(nil, inv, objects.Settings{})
	want := map[string]struct {
		state   State
		ready   string
		version string
	}{
		"running": {Running, "2/2", "0123456789ab-dirty"}, "image": {Running, "2/2", "image:1"},
		"short":   {NotReady, "1/2", "short:1"},
		"rolling": {NotReady, "2/2", "rolling:1"}, "unseen": {NotReady, "2/2", "unseen:1"},
		"paused": {NotDeployed, "0/0", ""}, "held": {Running, "2/2", "held:1"},
		"stopped": {Stopped, "0/0", "stopped:1"}, "nightly": {Scheduled, "0/0", ""}, "waiting": {NotDeployed, "0/0", ""},
	}
	if len(apps) != len(want) {
		t.Fatalf("%d apps", len(apps))
	}
	for i, app := range apps {
		w := want[app.Name]
		if app.State != w.state || app.Version != w.version || app.Role != "worker" {
			t.Errorf("%s: got %s, version %q, role %q; want %s, version %q, role worker",
				app.Name, app.State, app.Version, app.Role, w.state, w.version)
		}
		if i > 0 && apps[i-1].Name > app.Name {
			t.Errorf("%s is listed before %s", apps[i-1].Name, app.Name)
		}
		if app.Name == "running" && (app.Since == nil || app.Since.Unix() != 2000 || len(app.Hosts) != 1) {
			t.Errorf("%+v", app)
		}
	}
}

// Overview merges the apps on disk and in the cluster: an app in both is one entry.
func TestOverviewOfBoth(t *testing.T) {
	apps := onDisk(t, map[string]string{
		"a": "app: a\nrole: worker\n", "b": "app: b\nrole: worker\n", "f": "app: f\nrole: function\n",
		"x": "app: x\nrole: no\n", "y": "app: y\nrole: function\n",
		"web": "app: web\nrole: webserver\nport: 80\nhosts: {internal: web, external: web.example.com}\n",
	})
	locals, err := OnDisk("/", apps)
	if err != nil {
		t.Fatal(err)
	}
	inv := &k8s.Inventory{Deployments: []appsv1.Deployment{deployment("b", func(*appsv1.Deployment) {}),
		deployment("c", func(*appsv1.Deployment) {})}, PodTemplates: []corev1.PodTemplate{{ObjectMeta: named("y")}}}
	rows := Overview(locals, inv, objects.Settings{})
	var got []string
	for _, r := range rows {
		got = append(got, r.Name+" "+string(r.State))
	}
	want := "a not forged, b running, c running, f not deployed, web not forged, x invalid, y callable"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, ", "), want)
	}
	if len(rows[1].Drift) == 0 { // forge owns none of the Deployment's fields
		t.Error("b has no drift, although forge owns no field of its Deployment")
	}
	without := Overview(locals, nil, objects.Settings{})
	if len(without) != 6 || without[0].State != Unknown || without[4].State != Invalid {
		t.Errorf("%+v", without)
	}
	if h := without[3].Hosts; len(h) != 2 || h[0] != "web.example.com" {
		t.Errorf("hosts %q", h)
	}
}

// Drift includes a changed role, a Service that the infraspec no longer has, and a missing claim.
func TestDriftOfObjects(t *testing.T) {
	apps := onDisk(t, map[string]string{"a": "app: a\nrole: cron\nschedule: '@daily'\ncommand: x\nvolumes: [{name: d, " +
		"mountPath: /d, size: 1Gi}]\n"})
	locals, err := OnDisk("/", apps)
	if err != nil {
		t.Fatal(err)
	}
	svc := corev1.Service{ObjectMeta: named("a")}
	svc.Name = "old"
	inv := &k8s.Inventory{Deployments: []appsv1.Deployment{deployment("a", func(*appsv1.Deployment) {})},
		Services: []corev1.Service{svc}}
	rows := Overview(locals, inv, objects.Settings{})
	want := "the role is now cron, Service old is no longer in the infraspec, PersistentVolumeClaim a-d is missing"
	if got := strings.Join(rows[0].Drift, ", "); got != want {
		t.Errorf("drift %s\nwant %s", got, want)
	}
}

// In an environment, each app is in its namespace there. Apps without environments are where they are without a choice,
// and those with other environments have no place.
func TestPlaces(t *testing.T) {
	apps := onDisk(t, map[string]string{
		"a": "app: a\nrole: worker\nenvironments: {staging: {namespace: one}, production: {}}\n",
		"b": "app: b\nrole: worker\nenvironments: {staging: {}}\n",
		"c": "app: c\nrole: worker\n",
		"d": "app: d\nrole: worker\nenvironments: {production: {}}\n",
		"e": "app: e\nrole: wrker\n",
	})
	locals, err := OnDisk("/", apps)
	if err != nil {
		t.Fatal(err)
	}
	places, without := Places(locals, "staging", "default")
	var got []string
	for _, p := range places {
		for _, l := range p.Apps {
			got = append(got, p.Namespace+" "+p.Key+" "+l.Name+" "+l.Environment)
		}
	}
	for _, app := range without {
		got = append(got, app.Name+": "+string(app.State)+": "+app.Problem)
	}
	want := []string{
		"default  b staging", "default  c ", "one environments.staging.namespace a staging",
		"d: unknown: has no environment staging; it has production",
		"e: invalid: cannot be used: line 2: role",
	}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i, line := range want {
		if !strings.HasPrefix(got[i], line) {
			t.Errorf("got %q, want %q", got[i], line)
		}
	}

	// Only an object of the environment, or of none, is part of the overview.
	overview := []App{
		{Name: "c", Path: filepath.Join(apps, "c", "infraspec.yaml")}, {Name: "x", Environment: "production"},
		{Name: "y", Environment: "staging"}, {Name: "z"},
	}
	var names []string
	for _, app := range places[0].In("staging", overview) {
		names = append(names, fmt.Sprint(app.Name, " ", app.Namespace, " ", len(app.Warnings)))
	}
	if want := "c default 1, y default 0, z default 0"; strings.Join(names, ", ") != want {
		t.Errorf("%q, want %q", names, want)
	}
}
