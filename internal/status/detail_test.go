package status

import (
	"context"
	"errors"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/rollout"
)

// fakeCluster answers from memory with states that a real cluster rarely shows, such as a Secret that cannot be read.
type fakeCluster struct {
	inventory k8s.Inventory
	pods      []corev1.Pod
	events    []corev1.Event
	secret    *corev1.Secret
	tunnel    *corev1.ConfigMap
	denied    error
	jobs      []batchv1.Job
	warning   string
}

func (f *fakeCluster) Inventory(context.Context, string, string) (*k8s.Inventory, error) {
	return &f.inventory, nil
}

func (f *fakeCluster) GetDeployment(_ context.Context, _, name string) (*appsv1.Deployment, error) {
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "deployments"}, name)
}

func (f *fakeCluster) Revisions(context.Context, *appsv1.Deployment) ([]k8s.Revision, error) {
	return nil, nil
}

func (f *fakeCluster) GetGateway(_ context.Context, _, name string) (*unstructured.Unstructured, error) {
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "gateways"}, name)
}

func (f *fakeCluster) GetPods(context.Context, string, string) ([]corev1.Pod, error) {
	return f.pods, nil
}

func (f *fakeCluster) PodEvents(context.Context, string, string) ([]corev1.Event, error) {
	return f.events, f.denied
}

func (f *fakeCluster) CronRuns(context.Context, *batchv1.CronJob) ([]batchv1.Job, error) {
	return f.jobs, nil
}

func (f *fakeCluster) JobWarning(context.Context, string, string) (string, error) {
	return f.warning, nil
}

func (f *fakeCluster) GetSecret(_ context.Context, _, name string) (*corev1.Secret, error) {
	if f.secret == nil && f.denied == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, name)
	}
	return f.secret, f.denied
}

func (f *fakeCluster) GetConfigMap(_ context.Context, _, name string) (*corev1.ConfigMap, error) {
	if f.tunnel == nil && f.denied == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, name)
	}
	return f.tunnel, f.denied
}

const web = `app: web
role: webserver
port: 80
hosts: {internal: web, external: web.example.com}
secrets: [TOKEN, NEW]
volumes: [{name: data, mountPath: /data, size: 1Gi}, {name: host, mountPath: /h, hostPath: /srv}]
`

func oneOf(t *testing.T, cluster Cluster) *Detail {
	t.Helper()
	apps := onDisk(t, map[string]string{"web": web})
	d, err := Describe(t.Context(), cluster, OfFile(apps+"/web/infraspec.yaml"), objects.Settings{Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func secretStates(d *Detail) string {
	var out []string
	for _, s := range d.Secrets {
		where := "unknown"
		if s.Cluster != nil {
			where = map[bool]string{true: "there", false: "missing"}[*s.Cluster]
		}
		out = append(out, s.Name+" "+where)
	}
	return strings.Join(out, ", ")
}

func TestDetail(t *testing.T) {
	claim := corev1.PersistentVolumeClaim{ObjectMeta: named("web")}
	claim.Name = "web-old"
	cluster := &fakeCluster{
		inventory: k8s.Inventory{
			Deployments: []appsv1.Deployment{deployment("web", func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 0 })},
			Claims:      []corev1.PersistentVolumeClaim{claim},
		},
		secret: &corev1.Secret{Data: map[string][]byte{"TOKEN": []byte("canary"), "OLD": []byte("canary")}},
		tunnel: &corev1.ConfigMap{Data: map[string]string{
			"config.yaml": "ingress:\n- hostname: web.example.com\n  service: http://web:80\n",
		}},
	}
	d := oneOf(t, cluster)
	if d.State != NotReady || d.Reason == "" || d.Tunnel != "web.example.com leads to http://web:80" ||
		len(d.Unread) != 0 {
		t.Errorf("%+v", d)
	}
	if got, want := secretStates(d), "TOKEN there, NEW missing, OLD there"; got != want {
		t.Errorf("secrets %s, want %s", got, want)
	}
	var volumes []string
	for _, v := range d.Volumes {
		volumes = append(volumes, v.Name+" "+v.State)
	}
	if got, want := strings.Join(volumes, ", "), "data missing, host host, web-old "; got != want {
		t.Errorf("volumes %s, want %s", got, want)
	}
}

// A denied request is reported, and the rest of the detail is complete.
func TestDetailWithoutPermission(t *testing.T) {
	d := oneOf(t, &fakeCluster{denied: errors.New("user \"ci\" is not allowed to get secrets")})
	if got, want := secretStates(d), "TOKEN unknown, NEW unknown"; got != want || len(d.Unread) != 2 ||
		d.State != NotForged {
		t.Errorf("secrets %s, unread %q, state %s", got, d.Unread, d.State)
	}
}

func TestDetailWithoutTunnelOrCluster(t *testing.T) {
	if d := oneOf(t, &fakeCluster{}); !strings.HasPrefix(d.Tunnel, "none: ") {
		t.Errorf("tunnel %q", d.Tunnel)
	}
	d := oneOf(t, nil)
	if d.State != Unknown || d.Tunnel != "" || secretStates(d) != "TOKEN unknown, NEW unknown" {
		t.Errorf("%+v", d)
	}
	_, err := Describe(t.Context(), &fakeCluster{}, Local{Name: "nosuch"}, objects.Settings{})
	if _, ok := errors.AsType[*NotFoundError](err); !ok {
		t.Errorf("error %v", err)
	}
}

// The reason includes the last warning about the pod that the rollout waits for.
func TestReason(t *testing.T) {
	yes := true
	cluster := &fakeCluster{
		inventory: k8s.Inventory{Deployments: []appsv1.Deployment{deployment("web",
			func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 0; d.UID = "d" })}},
		pods: []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "web-1",
			OwnerReferences: []metav1.OwnerReference{{Name: "set", UID: "s", Controller: &yes}}}}},
		events: []corev1.Event{{Type: "Warning", Reason: "Old", Message: "x"},
			{Type: "Warning", Reason: "Unhealthy", Message: "connection refused"}, {Type: "Normal", Reason: "Pulled"}},
	}
	d := &detail{cluster: cluster}
	d.reason(t.Context(), rollout.Verdict{Message: "0 of 1 new Pods available", Pod: "web-1"})
	if want := "0 of 1 new Pods available\nPod web-1: Unhealthy: connection refused"; d.Reason != want {
		t.Errorf("reason %q", d.Reason)
	}
}
