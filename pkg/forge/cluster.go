package forge

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applybatch "k8s.io/client-go/applyconfigurations/batch/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/k8s"
)

// Cluster is what forge asks of a cluster.
type Cluster interface {
	guard
	reader
	writer
	deleter
	tunnelCluster
}

var _ Cluster = (*k8s.Client)(nil)

// guard keeps others away, and says what is allowed.
type guard interface {
	Holding(ctx context.Context, r k8s.LockRequest, do func(context.Context) error) error
	Missing(ctx context.Context, want []k8s.Permission) ([]k8s.Permission, error)
}

type reader interface {
	Leftovers(ctx context.Context, ns, app string) ([]corev1.Service, []corev1.PersistentVolumeClaim, error)
	Budget(ctx context.Context, ns string) (k8s.Budget, error)
	GetDeployment(ctx context.Context, ns, name string) (*appsv1.Deployment, error)
	GetCronJob(ctx context.Context, ns, name string) (*batchv1.CronJob, error)
	belongings
}

type belongings interface {
	GetService(ctx context.Context, ns, name string) (*corev1.Service, error)
	GetPVC(ctx context.Context, ns, name string) (*corev1.PersistentVolumeClaim, error)
	GetSecret(ctx context.Context, ns, name string) (*corev1.Secret, error)
}

type writer interface {
	workloadWriter
	CreateService(ctx context.Context, conf *applycore.ServiceApplyConfiguration) (*corev1.Service, error)
	CreatePVC(ctx context.Context, conf *applycore.PersistentVolumeClaimApplyConfiguration) (*corev1.PersistentVolumeClaim, error)
	Adopt(ctx context.Context, live k8s.Object) error
}

type workloadWriter interface {
	CreateDeployment(ctx context.Context, conf *applyapps.DeploymentApplyConfiguration) (*appsv1.Deployment, error)
	DropRollingUpdate(ctx context.Context, ns, name string) error
	CreateCronJob(ctx context.Context, conf *applybatch.CronJobApplyConfiguration) (*batchv1.CronJob, error)
}

type deleter interface {
	DeleteService(ctx context.Context, ns, name string) error
	DeleteDeployment(ctx context.Context, ns, name string) error
	DeleteCronJob(ctx context.Context, ns, name string) error
}

type tunnelCluster interface {
	GetConfigMap(ctx context.Context, ns, name string) (*corev1.ConfigMap, error)
	PatchConfigMap(ctx context.Context, ns, name string, edit func(*corev1.ConfigMap) error) (bool, error)
	RestartDeployment(ctx context.Context, ns, name string, at time.Time) (*appsv1.Deployment, error)
	WatchDeployment(ctx context.Context, ns, name string, see func(*appsv1.Deployment) (bool, error)) error
}
