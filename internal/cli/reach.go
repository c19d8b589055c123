package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"norn/internal/reach"
	"norn/internal/ui"
	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

const (
	// reachEvery is the time between two tries.
	reachEvery = time.Second
	// hopWait is how long one hop of a try may take.
	hopWait = 5 * time.Second
)

// UnreachableError reports that a request does not get to the app, or that no public host leads there.
type UnreachableError struct{ Problem, Advice string }

// Error returns the problem.
func (e *UnreachableError) Error() string { return e.Problem }

// Hint returns advice.
func (e *UnreachableError) Hint() string { return e.Advice }

// checkReachable follows a request to a deployed app with public hosts that norn routes. If they do not answer, it
// warns. With --require-reachable, it tries again until the rollout's timeout, and then fails. Other apps have no such
// step.
func (o *Shipping) checkReachable(ctx context.Context, s *Session, out ui.Progress, spec *infraspec.Spec) error {
	routed, err := isRouted(ctx, s, spec)
	switch {
	case err != nil && o.RequireReachable:
		return err
	case err != nil:
		return o.reachStep(ctx, out, spec, func(_ context.Context, w io.Writer) (pipeline.Result, error) {
			pipeline.Warn(w, "the deploy is complete, but norn does not know whether requests reach it: %v", err)
			return pipeline.Result{State: pipeline.Skipped, Detail: "not checked"}, nil
		})
	case !routed && o.RequireReachable:
		return &UnreachableError{"--require-reachable: norn routes no public host to " + spec.App,
			"set hosts.external and route in the infraspec (docs/routes.md)"}
	case !routed:
		return nil
	}
	var patience time.Duration // a DNS record may be long in coming
	if o.RequireReachable {
		patience = o.Timeout
	}
	run := func(ctx context.Context, w io.Writer) (pipeline.Result, error) {
		hops := awaitReachable(ctx, reach.Way{Cluster: s.Client, Namespace: s.Conf.Namespace, Spec: spec}, patience)
		last := hops[len(hops)-1]
		if last.State == reach.OK {
			return pipeline.Result{State: pipeline.Done, Detail: last.Detail}, nil
		}
		if ctx.Err() != nil {
			return pipeline.Result{}, fmt.Errorf("%s: %w", last.Detail, context.Cause(ctx))
		}
		failed := &UnreachableError{
			fmt.Sprintf("%s cannot be reached from here: %s", reach.URLs(spec), last),
			last.Hint,
		}
		if o.RequireReachable {
			return pipeline.Result{}, failed
		}
		pipeline.Warn(w, "the deploy is complete, but %s; %s", failed.Problem, failed.Advice)
		return pipeline.Result{State: pipeline.Done, Detail: "not reachable from here"}, nil
	}
	return o.reachStep(ctx, out, spec, run)
}

// reachStep runs or plans the step.
func (o *Shipping) reachStep(
	ctx context.Context, out ui.Progress, spec *infraspec.Spec,
	run func(context.Context, io.Writer) (pipeline.Result, error),
) error {
	plan := pipeline.Fixed(pipeline.None{}, pipeline.Planned, "asks "+reach.URLs(spec))
	step := pipeline.Step[pipeline.None]{Name: "reach", Run: pipeline.Act(run), Plan: plan}
	_, err := pipeline.RunStep(ctx, pipeline.Runner{To: out, Dry: o.DryRun}, step)
	return err
}

// awaitReachable follows requests until one gets through, or patience ends. It returns the hops of the last.
func awaitReachable(ctx context.Context, way reach.Way, patience time.Duration) []reach.Hop {
	for begin := time.Now(); ; {
		hops := way.Follow(ctx, hopWait)
		if hops[len(hops)-1].State != reach.Failed || time.Since(begin)+reachEvery > patience {
			return hops
		}
		select {
		case <-ctx.Done():
			return hops
		case <-time.After(reachEvery):
		}
	}
}

// isRouted reports whether norn routes public hosts to the app: by its own route, or by the tunnel's rules.
func isRouted(ctx context.Context, s *Session, spec *infraspec.Spec) (bool, error) {
	if objects.RouteKind(spec) != "" {
		return true, nil
	}
	if !tunnel.Routed(spec) {
		return false, nil
	}
	config, err := s.Client.GetConfigMap(ctx, tunnel.Namespace, tunnel.ConfigMap)
	if _, denied := errors.AsType[*k8s.DeniedError](err); denied || k8s.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	states, err := tunnel.ReadStates(config, spec, s.Conf.Namespace)
	for _, state := range states {
		if state.Leads != state.Wanted.Service {
			return false, err
		}
	}
	return err == nil && len(states) > 0, nil
}
