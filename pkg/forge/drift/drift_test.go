package drift

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// forgedSpec is the infraspec of the sample app hello.
const forgedSpec = `app: hello
role: webserver
port: 8080
healthcheck: /healthz
hosts: {internal: hello}
env: {PORT: 8080, DATA_DIR: /data}
secrets: [HELLO_TOKEN]
volumes: [{name: data, mountPath: /data, size: 64Mi}]
`

// liveDeployment returns that app's Deployment as the API server stores it after norn forge, norn deploy and a
// manually added variable, with managed fields.
func liveDeployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	data, err := os.ReadFile("testdata/deployment.json")
	if err != nil {
		t.Fatal(err)
	}
	var d appsv1.Deployment
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

func TestFields(t *testing.T) {
	none := func(*appsv1.Deployment) {}
	for _, c := range []struct {
		name string
		edit [2]string // old and new text in the infraspec
		live func(*appsv1.Deployment)
		want []string
	}{
		{"no drift; the manually added variable does not count", [2]string{}, none, nil},
		{"value changed in the infraspec", [2]string{"DATA_DIR: /data", "DATA_DIR: /other"}, none, []string{
			"env[DATA_DIR].value",
		}},
		{"variable added and another removed", [2]string{"PORT: 8080, ", "NEW: x, "}, none, []string{
			"env[NEW]", "env[PORT]",
		}},
		{"probes removed", [2]string{"healthcheck: /healthz\n", ""}, none, []string{
			"livenessProbe", "readinessProbe",
		}},
		{"port changed", [2]string{"port: 8080", "port: 8081"}, none, []string{
			"livenessProbe.httpGet.port", "ports[8080]", "ports[8081]",
			"readinessProbe.httpGet.port",
		}},
		{"replicas set in the infraspec", [2]string{"role:", "replicas: 3\nrole:"}, none, []string{"spec.replicas"}},
		{"resources added", [2]string{"role:", "resources: {limits: {memory: 64Mi}}\nrole:"}, none, []string{
			"resources",
		}},
		{"volume removed", [2]string{"volumes: [{name: data, mountPath: /data, size: 64Mi}]\n", ""}, none, []string{
			"spec.strategy.rollingUpdate", "spec.strategy.type", "lifecycle", "volumeMounts",
			"spec.template.spec.terminationGracePeriodSeconds", "spec.template.spec.topologySpreadConstraints",
			"spec.template.spec.volumes",
		}},
		{"value changed in the cluster", [2]string{}, func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Env[0].Value = "x"
		}, []string{"env[DATA_DIR].value"}},
		{"never forged", [2]string{}, func(d *appsv1.Deployment) {
			d.ManagedFields = d.ManagedFields[:0]
		}, []string{"the whole object: forge has not applied it yet"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, _, err := infraspec.Parse("f", []byte(strings.Replace(forgedSpec, c.edit[0], c.edit[1], 1)))
			if err != nil {
				t.Fatal(err)
			}
			live := liveDeployment(t)
			c.live(live)
			conf, err := objects.Deployment(spec, objects.Settings{Namespace: live.Namespace}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Fields(conf, live)
			if err != nil || (len(got) == 0) != (len(c.want) == 0) {
				t.Fatalf("got %q, error %v; want %q", got, err, c.want)
			}
			const container = "spec.template.spec.containers[hello]."
			for i := range got {
				got[i] = strings.TrimPrefix(got[i], container)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// After a rollback, forge owns the whole Pod template. drift ignores a default that the API server would set
// again, but not another value.
func TestFieldsAfterRollback(t *testing.T) {
	spec, _, err := infraspec.Parse("f", []byte(forgedSpec))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		seconds int32
		want    []string
	}{{1, nil}, {7, []string{"spec.template.spec.containers[hello].livenessProbe.timeoutSeconds"}}} {
		live := liveDeployment(t)
		live.Spec.Template.Spec.Containers[0].LivenessProbe.TimeoutSeconds = c.seconds
		for i, m := range live.ManagedFields {
			if m.Manager == metadata.ForgeManager {
				var compact bytes.Buffer
				if err := json.Compact(&compact, m.FieldsV1.GetRawBytes()); err != nil {
					t.Fatal(err)
				}
				owned := strings.Replace(compact.String(), `"f:livenessProbe":{`,
					`"f:terminationMessagePath":{},"f:securityContext":{},"f:livenessProbe":{"f:timeoutSeconds":{},`, 1)
				owned = strings.Replace(owned, `"f:httpGet":{`, `"f:httpGet":{"f:scheme":{},`, 2)
				live.ManagedFields[i].FieldsV1 = metav1.NewFieldsV1(owned)
			}
		}
		conf, err := objects.Deployment(spec, objects.Settings{Namespace: live.Namespace}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Fields(conf, live); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("timeoutSeconds %d: got %q, error %v; want %q", c.seconds, got, err, c.want)
		}
	}
}

// Invalid managed fields cause an error but no panic.
func TestFieldsInvalid(t *testing.T) {
	d := liveDeployment(t)
	d.ManagedFields = []metav1.ManagedFieldsEntry{{
		Manager:   metadata.ForgeManager,
		Operation: metav1.ManagedFieldsOperationApply,
		FieldsV1:  metav1.NewFieldsV1("{"),
	}}
	if _, err := Fields(struct{}{}, d); err == nil {
		t.Error("no error")
	}
}

// A diff ends each line with a line break, even at the end of an object.
func TestDiffLastLine(t *testing.T) {
	before := &corev1.ConfigMap{Data: map[string]string{"a": "1"}}
	after := &corev1.ConfigMap{Data: map[string]string{"a": "1", "b": "2"}, ObjectMeta: metav1.ObjectMeta{Name: "x"}}
	got := Diff(before, after)
	for _, line := range []string{"+  b: \"2\"\n", "+metadata:\n", "+  name: x\n"} {
		if !strings.Contains(got, line) {
			t.Errorf("%q is missing in\n%s", line, got)
		}
	}
}

// A port with the name of norn's port gets its number. If that number exists too, the port is removed.
func TestFreedPorts(t *testing.T) {
	conf := applycore.Service("web", "default").WithSpec(applycore.ServiceSpec().WithPorts(
		applycore.ServicePort().WithName("http").WithPort(80).WithProtocol(corev1.ProtocolTCP)))
	port := func(name string, number int32) corev1.ServicePort {
		return corev1.ServicePort{Name: name, Port: number, Protocol: corev1.ProtocolTCP}
	}
	for _, c := range []struct{ live, want []corev1.ServicePort }{
		{[]corev1.ServicePort{port("http", 80), port("metrics", 9090)}, nil},
		{[]corev1.ServicePort{port("", 8080)}, nil},
		{
			[]corev1.ServicePort{port("metrics", 9090), port("http", 8080)},
			[]corev1.ServicePort{port("metrics", 9090), port("http", 80)},
		},
		{[]corev1.ServicePort{port("http", 8080), port("web", 80)}, []corev1.ServicePort{port("web", 80)}},
	} {
		var got []corev1.ServicePort
		if freed := FreedPorts(&corev1.Service{Spec: corev1.ServiceSpec{Ports: c.live}}, conf); freed != nil {
			got = freed.Spec.Ports
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("ports %v: got %v, want %v", c.live, got, c.want)
		}
	}
}
