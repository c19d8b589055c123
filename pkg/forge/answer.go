package forge

import (
	"context"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applybatch "k8s.io/client-go/applyconfigurations/batch/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// answer keeps the API server's answer to the dry run of a workload. The trial of its Pods asks for it first, and the
// plan shows it.
type answer struct {
	request []byte
	now     metadata.Object
}

// answers holds an answer for each workload, by its name. A nil map keeps none.
type answers map[string]*answer

func answersFor(spec *infraspec.Spec) answers {
	all := answers{}
	for _, w := range spec.Workloads() {
		all[w.Workload()] = &answer{}
	}
	return all
}

// shared returns the kept answer to conf, or else calls ask and keeps its answer. A nil a keeps none.
func shared[T metadata.Object](a *answer, conf any, ask func() (T, error)) (T, error) {
	if a == nil {
		return ask()
	}
	var none T
	request, err := json.Marshal(conf) // ask may change conf
	if err != nil {
		return none, fmt.Errorf("write a dry run: %w", err)
	}
	if now, ok := a.now.(T); ok && string(request) == string(a.request) {
		return now, nil
	}
	now, err := ask()
	if err == nil {
		a.request, a.now = request, now
	}
	return now, err
}

// sharedDeployment is applyDeployment, which a plan calls once for the same conf.
func (r *run) sharedDeployment(
	ctx context.Context, live *appsv1.Deployment, conf *applyapps.DeploymentApplyConfiguration,
) (*appsv1.Deployment, error) {
	return shared(r.answers[r.spec.Workload()], conf, func() (*appsv1.Deployment, error) {
		return r.applyDeployment(ctx, live, conf)
	})
}

// applyCronJob applies the CronJob, in a plan once.
func (r *run) applyCronJob(
	ctx context.Context, live *batchv1.CronJob, conf *applybatch.CronJobApplyConfiguration,
) (*batchv1.CronJob, error) {
	return shared(r.answers[r.spec.Workload()], conf, func() (*batchv1.CronJob, error) {
		return applyOrPlan(ctx, r, live, conf, r.cluster.CreateCronJob)
	})
}
