package objects

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
)

// load loads an infraspec with an overlay from a folder.
func load(t *testing.T, text, overlay string) *infraspec.Spec {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"infraspec.yaml": text, "overlay.yaml": overlay} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spec, _, err := infraspec.LoadAs("infraspec.yaml", filepath.Join(dir, "infraspec.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

const overlaid = `app: shop
role: webserver
port: 8080
env: {LOG: debug}
secrets: [TOKEN]
migrations: {command: [/migrate]}
volumes: [{name: data, mountPath: /data, size: 1Gi}]
overlay: overlay.yaml
`

// A document is strict, and cannot change what norn relies on. No finding quotes a value.
func TestCheckOverlay(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // the beginnings of findings, after the file name
	}{
		{"empty", "", nil},
		{"only comments", "# nothing\n---\n", nil},
		{"correct", "kind: Pod\nspec: {hostNetwork: true, priorityClassName: high}\n", nil},
		{"not a mapping", "- a\n", []string{"1:1: error: an overlay consists of partial objects"}},
		{"no kind", "spec: {}\n", []string{"1:1: error: kind is missing; set it to one of Pod, Deployment"}},
		{"kind", "kind: Deploymnt\n", []string{`1:7: error: kind is not one of Pod, Deployment, CronJob, Job, Service; ` +
			`did you mean "Deployment"?`}},
		{"apiVersion", "apiVersion: apps/v1beta1\nkind: Deployment\n", []string{
			"1:13: error: apiVersion of a Deployment must be apps/v1"}},
		{"without effect", "kind: CronJob\n---\nkind: Service\n", []string{
			"1:7: warning: this document has no effect: a webserver has no CronJob",
			"3:7: warning: this document has no effect: the app has no Service"}},
		{"twice", "kind: Pod\nspec: {hostNetwork: true}\n---\nkind: Pod\n", []string{
			"4:1: error: a second document of kind Pod"}},
		{"unknown", "kind: Pod\nspec:\n  hostnetwork: true\n  contaners: []\n  $patch: replace\n", []string{
			`3:3: error: unknown field "hostnetwork" in spec; did you mean "hostNetwork"?`,
			`4:3: error: unknown field "contaners" in spec; did you mean "containers"?`,
			`5:3: error: unknown field "$patch" in spec; an overlay has no directives`}},
		{"types", "kind: Pod\nspec:\n  hostNetwork: yes\n  priority: high\n  containers: {}\n  hostname: 1\n", []string{
			"3:16: error: spec.hostNetwork must be true or false",
			"4:13: error: spec.priority must be a whole number",
			"5:15: error: spec.containers must be a list",
			"6:13: error: spec.hostname must be a string; put it in quotes"}},
		{"amounts", "kind: Pod\nspec:\n  containers:\n    - name: shop\n      resources: {limits: {cpu: x}}\n", []string{
			"5:33: error: spec.containers[0].resources.limits.cpu must be an amount such as 100m or 1Gi"}},
		{"nothing", "kind: Pod\nspec:\n  hostNetwork:\n", []string{"3:15: error: spec.hostNetwork is empty"}},
		{"merge key", "kind: Pod\nspec:\n  containers:\n    - image: x\n", []string{
			"4:7: error: spec.containers[0].name is missing; it says which item to change"}},
		{
			"what norn sets",
			"kind: Deployment\nmetadata: {name: x, labels: {app: y}}\nspec:\n  replicas: 2\n  paused: true\n" +
				"  selector: {}\n  template:\n    metadata: {name: x, labels: {app: y}}\n    spec:\n" +
				"      containers:\n        - name: shop\n          image: x\n          command: [x]\n" +
				"          env: [{name: LOG, value: x}, {name: TOKEN, value: x}]\n" +
				"        - {name: other, image: x}\n",
			[]string{
				"2:12: error: an overlay cannot set metadata.name: norn sets it",
				"2:30: error: an overlay cannot set metadata.labels.app",
				"4:3: error: an overlay cannot set spec.replicas: set replicas in the infraspec",
				"5:3: error: an overlay cannot set spec.paused",
				"6:3: error: an overlay cannot set spec.selector",
				"8:16: error: an overlay cannot set spec.template.metadata.name",
				"8:34: error: an overlay cannot set spec.template.metadata.labels.app",
				"12:11: error: an overlay cannot set spec.template.spec.containers[0].image: norn deploy sets the image",
				"13:11: error: an overlay cannot set spec.template.spec.containers[0].command",
				"14:24: error: an overlay cannot set this variable",
				"14:47: error: an overlay cannot set this variable",
			},
		},
		{
			"control of the node",
			"kind: Pod\nspec:\n  hostPID: true\n  containers: [{name: a, securityContext: {privileged: true}}]\n" +
				"  volumes:\n    - {name: a, hostPath: {path: /etc/kubernetes}}\n    - {name: b, hostPath: {path: /srv/b}}\n" +
				"    - {name: c, hostPath: {path: /opt}}\n",
			[]string{
				"3:3: warning: hostPID gives the app control", "4:44: warning: privileged gives the app control",
				`6:34: error: "/etc/kubernetes" gives the app control of its node`,
				`8:34: warning: the app can read and write "/opt" of its node`,
			},
		},
		{"Job", "kind: Job\nspec: {backoffLimit: 3}\n", []string{"2:8: error: an overlay cannot set spec.backoffLimit"}},
		{"secret", "kind: Pod\nspec: {hostNetwork: hunter2, hunter2hunter2: x, priority: {hunter2: x}}\n", []string{
			"2:21: error: spec.hostNetwork must be true or false",
			"2:30: error: unknown field in spec",
			"2:59: error: spec.priority must be a whole number"}},
		{"number", "kind: Pod\nspec: {priority: 3000000000, terminationGracePeriodSeconds: 3000000000}\n", []string{
			"2:18: error: spec.priority must be a smaller number"}},
		{"syntax", "kind: Pod\nspec: {\n", []string{"2:7: error: invalid YAML"}},
		{"aliases without end", "kind: Pod\nmetadata: &a {labels: *a}\n", []string{"2:11: error:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range CheckOverlay(load(t, overlaid, c.text), []string{"/srv"}) {
				text := strings.TrimPrefix(f.String(), "overlay.yaml:")
				if f.Source != "" || strings.Contains(text, "hunter2") {
					t.Errorf("the finding shows the file: %q, %q", f.Source, text)
				}
				got = append(got, text)
			}
			if len(got) != len(c.want) {
				t.Fatalf("got %q\nwant %q", got, c.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], c.want[i]) {
					t.Errorf("got %q\nwant %q", got[i], c.want[i])
				}
			}
		})
	}
}

// A Pod reaches a migration, except its claims and its probes. A Job reaches the migration alone.
func TestOverlayOfMigration(t *testing.T) {
	spec := load(t, overlaid, `kind: Pod
metadata: {labels: {team: red}}
spec:
  containers:
    - {name: proxy, image: "proxy:1"}
    - name: shop
      livenessProbe: {exec: {command: [/live]}}
      volumeMounts: [{name: own, mountPath: /own}, {name: tmp, mountPath: /tmp}]
  volumes: [{name: own, persistentVolumeClaim: {claimName: own}}, {name: tmp, emptyDir: {}}]
---
kind: Job
spec:
  template:
    metadata: {annotations: {inject: "false"}}
    spec: {priorityClassName: low}
`)
	pod, err := Migration(spec, Settings{}, "shop:1")
	if err != nil {
		t.Fatal(err)
	}
	c := pod.Containers[0]
	if len(pod.Containers) != 2 || c.Name != "shop" || c.LivenessProbe != nil || c.Command[0] != "/migrate" ||
		pod.PriorityClassName != "low" {
		t.Errorf("%+v", pod)
	}
	if len(pod.Volumes) != 1 || len(c.VolumeMounts) != 1 || c.VolumeMounts[0].Name != "tmp" {
		t.Errorf("volumes %v, mounts %v", pod.Volumes, c.VolumeMounts)
	}
	labels, annotations, err := JobMeta(spec)
	if err != nil || labels["team"] != "red" || annotations["inject"] != "false" {
		t.Errorf("labels %v, annotations %v, error %v", labels, annotations, err)
	}
	d, err := Deployment(spec, Settings{}, nil)
	if err != nil || d.Spec.Template.Spec.PriorityClassName != nil || d.Spec.Template.Labels["team"] != "red" {
		t.Errorf("%+v, error %v", d.Spec.Template, err)
	}
}

// An overlay cannot set a variable that norn generates: one with a value and a reference is invalid.
func TestOverlayOfGeneratedVariable(t *testing.T) {
	const over = "kind: Pod\nspec: {containers: [{name: web, env: [{name: DATABASE_URL, value: x}]}]}\n"
	const file = servedSpec + "overlay: overlay.yaml\n"
	for more, want := range map[string]int{"": 0, "services: {postgres: {database: shop}}\n": 1} {
		if found := CheckOverlay(load(t, file+more, over), nil); len(found) != want {
			t.Errorf("with %q: %v", more, found)
		}
	}
}

// A handler of the overlay replaces norn's: Kubernetes accepts one kind.
func TestOverlayHandlers(t *testing.T) {
	spec := load(t, servedSpec+"overlay: overlay.yaml\n", `kind: Pod
spec:
  containers:
    - name: web
      lifecycle: {preStop: {exec: {command: [/drain]}}}
      livenessProbe: {exec: {command: [/live]}, periodSeconds: 60}
      readinessProbe: {httpGet: {path: /ready}}
---
kind: Deployment
spec: {template: {spec: {containers: [{name: web, livenessProbe: {tcpSocket: {port: 1}}}]}}}
`)
	d, err := Deployment(spec, Settings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := d.Spec.Template.Spec.Containers[0]
	if stop := c.Lifecycle.PreStop; stop.Exec == nil || stop.Sleep != nil {
		t.Errorf("preStop: %+v", stop)
	}
	if live := c.LivenessProbe; live.TCPSocket == nil || live.Exec != nil || live.HTTPGet != nil ||
		*live.PeriodSeconds != 60 {
		t.Errorf("livenessProbe: %+v", live)
	}
	if ready := c.ReadinessProbe; *ready.HTTPGet.Path != "/ready" || ready.HTTPGet.Port == nil {
		t.Errorf("readinessProbe: %+v", ready)
	}
}

// An overlay with mistakes is an error everywhere.
func TestOverlayWithMistakes(t *testing.T) {
	spec := load(t, overlaid, "kind: Pod\nspec: {x: 1}\n")
	_, err := Deployment(spec, Settings{}, nil)
	_, migrationErr := Migration(spec, Settings{}, "shop:1")
	for _, err := range []error{err, migrationErr} {
		found, ok := err.(infraspec.Errors) //nolint:errorlint // it is not wrapped
		if !ok || len(found) != 1 {
			t.Errorf("error %v", err)
		}
	}
}

// norn and Kubernetes alone set the labels by which they find an app's objects.
func TestOwnLabelsAreReserved(t *testing.T) {
	for name := range Labels(&infraspec.Spec{App: "shop"}) {
		if !infraspec.IsReserved(name) {
			t.Errorf("an overlay can set the label %s", name)
		}
	}
}

// restricted comes from the infraspec or the namespace. It never sets a user, and reaches Jobs.
func TestSecurity(t *testing.T) {
	const app = "app: shop\nrole: worker\nmigrations: {command: x}\n"
	const claim = "volumes: [{name: a, mountPath: /a, size: 1Gi}]\n"
	for _, c := range []struct {
		name, text, overlay string
		enforced            Enforced
		restricted          bool
		group, needs        bool
	}{
		{name: "nothing enforced", text: claim},
		{name: "enforced", enforced: Enforced{Level: infraspec.Restricted}, restricted: true, needs: true},
		{name: "set", text: "pod: {security: restricted}\n", restricted: true, needs: true},
		{name: "baseline", text: "pod: {security: baseline}\n", enforced: Enforced{Level: infraspec.Restricted}},
		{name: "none", text: "pod: {security: none}\n", enforced: Enforced{Level: infraspec.Restricted}},
		{
			name: "claim", text: claim, enforced: Enforced{Level: infraspec.Restricted},
			restricted: true, group: true, needs: true,
		},
		{name: "users assigned", text: claim, enforced: Enforced{infraspec.Restricted, true}, restricted: true},
		{
			name: "user in the overlay", overlay: "kind: Pod\nspec: {securityContext: {runAsUser: 1000}}\n",
			enforced: Enforced{Level: infraspec.Restricted}, restricted: true,
		},
		{
			name: "user of the container", enforced: Enforced{Level: infraspec.Restricted}, restricted: true,
			overlay: "kind: Pod\nspec: {containers: [{name: shop, securityContext: {runAsUser: 1000}}]}\n",
		},
	} {
		spec := load(t, app+c.text+"overlay: overlay.yaml\n", c.overlay)
		s := Settings{Enforced: c.enforced}
		if needs, err := NeedsUser(spec, s); err != nil || needs != c.needs {
			t.Errorf("%s: needs a user: %v, error %v", c.name, needs, err)
		}
		pod, err := podFor(spec, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		context := pod.SecurityContext
		if (context != nil && context.RunAsNonRoot != nil) != c.restricted ||
			(context != nil && context.FSGroup != nil) != c.group {
			t.Errorf("%s: %+v", c.name, context)
		}
		job, err := Migration(spec, s, "shop:1")
		if err != nil {
			t.Fatal(err)
		}
		drops := job.Containers[0].SecurityContext
		all := drops != nil && drops.Capabilities != nil &&
			slices.Equal(drops.Capabilities.Drop, []corev1.Capability{"ALL"})
		if all != c.restricted {
			t.Errorf("%s: migration: %+v", c.name, drops)
		}
	}
}

// Only claims that Pods on several nodes can mount allow a rolling update.
func TestStrategy(t *testing.T) {
	for access, want := range map[string]string{
		"": "Recreate", "access: ReadWriteOnce": "Recreate", "access: ReadWriteOncePod": "Recreate",
		"access: ReadWriteMany": "RollingUpdate",
	} {
		spec := load(t, "app: a\nrole: worker\nvolumes: [{name: a, mountPath: /a, size: 1Gi, "+access+"}]\n", "")
		d, err := Deployment(spec, Settings{}, nil)
		if err != nil || string(*d.Spec.Strategy.Type) != want {
			t.Errorf("%s: %v, error %v", access, *d.Spec.Strategy.Type, err)
		}
	}
}
