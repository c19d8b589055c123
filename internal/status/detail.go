package status

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/rollout"
)

// Cluster reads the objects of one app.
type Cluster interface {
	Inventory(ctx context.Context, ns, app string) (*k8s.Inventory, error)
	GetDeployment(ctx context.Context, ns, name string) (*appsv1.Deployment, error)
	Revisions(ctx context.Context, d *appsv1.Deployment) ([]k8s.Revision, error)
	configuration
	starts
}

// starts reads an app's Pods and the runs of a cron app, and why they do not start.
type starts interface {
	GetPods(ctx context.Context, ns, app string) ([]corev1.Pod, error)
	PodEvents(ctx context.Context, ns, pod string) ([]corev1.Event, error)
	CronRuns(ctx context.Context, c *batchv1.CronJob) ([]batchv1.Job, error)
	JobWarning(ctx context.Context, ns, job string) (string, error)
}

type configuration interface {
	GetSecret(ctx context.Context, ns, name string) (*corev1.Secret, error)
	GetConfigMap(ctx context.Context, ns, name string) (*corev1.ConfigMap, error)
	GetGateway(ctx context.Context, ns, name string) (*unstructured.Unstructured, error)
}

var _ Cluster = (*k8s.Client)(nil)

// Detail describes one app in full.
type Detail struct {
	App
	Image     string     `json:"image,omitempty"`
	Reason    string     `json:"reason,omitempty"` // why some pods are not ready
	Pods      []Pod      `json:"pods,omitempty"`
	Revisions []Revision `json:"revisions,omitempty"`
	Secrets   []Secret   `json:"secrets,omitempty"`
	Volumes   []Volume   `json:"volumes,omitempty"`
	Schedule  *Schedule  `json:"schedule,omitempty"`
	Tunnel    string     `json:"tunnel,omitempty"`
	Route     string     `json:"route,omitempty"`  // state of the Ingress or the HTTPRoute
	Unread    []string   `json:"unread,omitempty"` // errors of failed reads
}

// Pod is one pod of an app.
type Pod struct {
	Name     string    `json:"name"`
	State    string    `json:"state"`
	Ready    bool      `json:"ready"`
	Restarts int       `json:"restarts"`
	Started  time.Time `json:"started"`
	Revision int64     `json:"revision,omitempty"` // 0 if the Pod belongs to no revision with a number
	Message  string    `json:"message,omitempty"`
}

// Revision is an entry of an app's history.
type Revision struct {
	Number   int64          `json:"number"`
	Version  string         `json:"version"`
	Created  time.Time      `json:"created"` // when it was rolled out
	Verified bool           `json:"verified"`
	Failed   rollout.Reason `json:"failed,omitempty" redact:"-"` // why its rollout failed
	Current  bool           `json:"current"`
}

// Secret is the name of a secret value, and where it exists.
type Secret struct {
	Name     string `json:"name"`
	Declared bool   `json:"declared"`
	Cluster  *bool  `json:"inCluster,omitempty"` // nil if unknown
	From     string `json:"from,omitempty"`      // the Secret and the key that norn does not manage, such as db/url
}

// Volume is a volume and the state of its storage.
type Volume struct {
	Name  string `json:"name"`
	Mount string `json:"mountPath,omitempty"`
	Size  string `json:"size,omitempty"`
	Host  string `json:"hostPath,omitempty"`
	State string `json:"state" redact:"-"` // Bound, Pending, Lost, Terminating, missing, or host
}

// NotFoundError reports that an app exists neither on disk nor in the cluster.
type NotFoundError struct{ Name, Namespace string }

// Error names the app and the namespace.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("app %s not found, neither on disk nor in namespace %s", e.Name, e.Namespace)
}

// Hint returns how to find the app.
func (e *NotFoundError) Hint() string { return "list all apps with norn status" }

// OfFile returns the app of the infraspec at path.
func OfFile(path string) Local { return local("", path) }

// Describe returns the detail of an app. l needs only a name. If cluster is nil, Describe uses only l.
func Describe(ctx context.Context, cluster Cluster, l Local, s objects.Settings) (*Detail, error) {
	var inv *k8s.Inventory
	if cluster != nil {
		var err error
		if inv, err = cluster.Inventory(ctx, s.Namespace, l.Name); err != nil {
			return nil, err
		}
	}
	if spec, _ := compared(l, environmentOf(inv, l.Name)); spec != nil {
		l.Spec = spec
	}
	var locals []Local
	if l.Path != "" {
		locals = []Local{l}
	}
	rows := Overview(locals, inv, s)
	if len(rows) == 0 {
		return nil, &NotFoundError{l.Name, s.Namespace}
	}
	d := &detail{
		cluster: cluster, local: l, inventory: inv, settings: s, histories: map[string][]k8s.Revision{},
		Detail: Detail{App: rows[0]},
	}
	if inv != nil {
		if err := d.workload(ctx); err != nil {
			return nil, err
		}
		if err := d.processes(ctx); err != nil {
			return nil, err
		}
		d.releases()
	}
	d.secrets(ctx)
	d.volumes()
	d.tunnel(ctx)
	d.route(ctx)
	return &d.Detail, nil
}

type detail struct {
	Detail
	cluster   Cluster
	local     Local
	inventory *k8s.Inventory // nil without a cluster
	settings  objects.Settings
	process   string // the process whose workload is described, or "" for the main one

	histories map[string][]k8s.Revision // of the Deployments, by process
}

// unread records a failed read. The rest of the detail does not depend on it.
func (d *detail) unread(err error) { d.Unread = append(d.Unread, err.Error()) }
