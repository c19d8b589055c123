package forge

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// Plan returns what Steps would change. The API server validates each write and stores none (see k8s.Client.DryRun). If
// an autoscaler overrides the infraspec's replicas, Plan reports a line of output without a step.
func Plan(
	ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, spec *infraspec.Spec, o Options,
) ([]drift.Change, error) {
	r, err := planned(ctx, cluster, to, spec, o)
	if err != nil {
		return nil, err
	}
	err = r.begin(ctx)
	if missing, ok := errors.AsType[*MissingKeysError](err); ok { // norn deploy adds them before it changes the Pods
		to.Report(pipeline.Event{Kind: pipeline.Warned, Line: fmt.Sprintf("%v; %s", missing, missing.Hint())})
		err = r.checkReferences(ctx)
	}
	if missing, ok := errors.AsType[*MissingReferenceError](err); ok { // the changes are of interest anyway
		to.Report(pipeline.Event{Kind: pipeline.Warned, Line: fmt.Sprintf("%v; %s", missing, missing.Hint())})
		err = nil
	}
	if err != nil {
		return nil, err
	}
	for _, one := range r.runs() {
		if scaled := one.scaledBy(ctx); scaled != "" && one.spec.Role.Standing() {
			pipeline.Say(to, "", fmt.Sprintf("%s %s: %s", objects.KindDeployment, one.spec.Workload(), scaled))
		}
	}
	// The app's own objects come first, then the tunnel's.
	steps := slices.Concat(
		r.workloadSteps(), r.podTrafficSteps(), r.routeSteps(), r.pruneSteps(), r.tunnelSteps())
	changes, err := pipeline.RunAll(ctx, pipeline.Runner{To: to, Dry: true}, steps)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(changes, func(c drift.Change) bool { return c.State == "" }), nil
}

// Check returns an error if the API server would refuse what Steps makes, or if Steps would fail before the first
// write. It changes nothing.
func Check(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, spec *infraspec.Spec, o Options) error {
	r, err := planned(ctx, cluster, to, spec, o)
	if err != nil {
		return err
	}
	return r.begin(ctx)
}

// planned returns a run that changes nothing. It warns about the objects that forge would have to wait for.
func planned(
	ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, spec *infraspec.Spec, o Options,
) (*run, error) {
	if err := check(o); err != nil {
		return nil, err
	}
	cluster = cluster.DryRun()
	if o.NoDrain && drains(spec) {
		to.Report(pipeline.Event{Kind: pipeline.Warned, Line: noDrain})
	}
	found, err := readLive(ctx, cluster, spec, o.Settings)
	if err != nil {
		return nil, err
	}
	for _, d := range found.dropDeletions(ctx, cluster) {
		to.Report(pipeline.Event{Kind: pipeline.Warned, Line: d.String() + "; forge waits for it, then creates it again"})
	}
	return &run{cluster: cluster, to: to, spec: spec, options: o, live: found, answers: answersFor(spec)}, nil
}
