package status

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/rollout"
)

// Cluster is what the detail of one app asks of a cluster.
type Cluster interface {
	Inventory(ctx context.Context, ns, app string) (*k8s.Inventory, error)
	GetDeployment(ctx context.Context, ns, name string) (*appsv1.Deployment, error)
	Revisions(ctx context.Context, d *appsv1.Deployment) ([]k8s.Revision, error)
	GetPods(ctx context.Context, ns, app string) ([]corev1.Pod, error)
	configuration
	PodEvents(ctx context.Context, ns, pod string) ([]corev1.Event, error)
}

type configuration interface {
	GetSecret(ctx context.Context, ns, name string) (*corev1.Secret, error)
	GetConfigMap(ctx context.Context, ns, name string) (*corev1.ConfigMap, error)
}

var _ Cluster = (*k8s.Client)(nil)

// Detail is all there is to say of one app.
type Detail struct {
	App
	Image     string     `json:"image,omitempty"`
	Reason    string     `json:"reason,omitempty"` // why not every pod is ready
	Pods      []Pod      `json:"pods,omitempty"`
	Revisions []Revision `json:"revisions,omitempty"`
	Secrets   []Secret   `json:"secrets,omitempty"`
	Volumes   []Volume   `json:"volumes,omitempty"`
	Schedule  *Schedule  `json:"schedule,omitempty"`
	Tunnel    string     `json:"tunnel,omitempty"`
	Unread    []string   `json:"unread,omitempty"` // what could not be read, and why
}

// Pod is one pod of an app.
type Pod struct {
	Name     string    `json:"name"`
	State    string    `json:"state"`
	Ready    bool      `json:"ready"`
	Restarts int       `json:"restarts"`
	Started  time.Time `json:"started"`
	Revision int64     `json:"revision,omitempty"` // 0 where it belongs to none
	Message  string    `json:"message,omitempty"`
}

// Revision is one entry of an app's history.
type Revision struct {
	Number   int64          `json:"number"`
	Version  string         `json:"version"`
	Created  time.Time      `json:"created"` // when it came
	Verified bool           `json:"verified"`
	Failed   rollout.Reason `json:"failed,omitempty"` // why it did not come up
	Current  bool           `json:"current"`
}

// Secret is a secret value's name, and where it is.
type Secret struct {
	Name     string `json:"name"`
	Declared bool   `json:"declared"`
	Cluster  *bool  `json:"inCluster,omitempty"` // nil where that could not be read
}

// Volume is a volume and what is behind it.
type Volume struct {
	Name  string `json:"name"`
	Mount string `json:"mountPath,omitempty"`
	Size  string `json:"size,omitempty"`
	Host  string `json:"hostPath,omitempty"`
	State string `json:"state"` // Bound, Pending, Lost, missing, or host
}

// Schedule is when a cron app runs.
type Schedule struct {
	Cron    string     `json:"cron"`
	Last    *time.Time `json:"last,omitempty"`
	Success *time.Time `json:"lastSuccess,omitempty"`
	Active  int        `json:"active"`
}

// NotFoundError says that there is no such app, neither on disk nor in the cluster.
type NotFoundError struct{ Name, Namespace string }

// Error names both places.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("there is no app %s, neither on disk nor in namespace %s", e.Name, e.Namespace)
}

// Hint is what to do about it.
func (e *NotFoundError) Hint() string { return "norn status lists the apps there are" }

// OfFile is what the file at path says of its app.
func OfFile(path string) Local { return local(path) }

// One is the detail of an app by what is on disk of it, which may be no more than its name. A nil cluster is not asked.
func One(ctx context.Context, cluster Cluster, l Local, s objects.Settings) (*Detail, error) {
	var inv *k8s.Inventory
	if cluster != nil {
		var err error
		if inv, err = cluster.Inventory(ctx, s.Namespace, l.Name); err != nil {
			return nil, err
		}
	}
	var locals []Local
	if l.Path != "" {
		locals = []Local{l}
	}
	rows := Overview(locals, inv, s)
	if len(rows) == 0 {
		return nil, &NotFoundError{l.Name, s.Namespace}
	}
	d := &detail{cluster: cluster, local: l, inventory: inv, settings: s, Detail: Detail{App: rows[0]}}
	if inv != nil {
		if err := d.workload(ctx); err != nil {
			return nil, err
		}
	}
	d.secrets(ctx)
	d.volumes()
	d.tunnel(ctx)
	return &d.Detail, nil
}

type detail struct {
	Detail
	cluster   Cluster
	local     Local
	inventory *k8s.Inventory // nil without a cluster
	settings  objects.Settings
}

// unread notes what could not be read; the rest is told all the same.
func (d *detail) unread(err error) { d.Unread = append(d.Unread, err.Error()) }
