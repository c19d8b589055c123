package forge

import (
	"context"
	"errors"
	"fmt"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// warnCatches warns about the Services of others that would send requests to the Pods of a process.
func (r *run) warnCatches(ctx context.Context) error {
	if len(r.spec.Processes) == 0 {
		return nil
	}
	all, err := r.cluster.ListAllServices(ctx, r.options.Namespace)
	if _, denied := errors.AsType[*k8s.DeniedError](err); denied {
		return nil
	}
	if err != nil {
		return err
	}
	for _, c := range objects.Catches(all, r.spec, r.options.Settings) {
		r.to.Report(pipeline.Event{Kind: pipeline.Warned, Step: CheckStep, Line: fmt.Sprintf(
			"Service %s selects the Pods of process %s too (%s), and sends requests to them; "+
				"if it is for the main process alone, add %s=%s to its selector",
			c.Service, c.Process, c.Selector, metadata.AppLabel, r.spec.App)})
	}
	return nil
}
