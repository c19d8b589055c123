package forge

import (
	"context"
	"fmt"

	"norn/internal/pipeline"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// Options are what a forge needs besides the infraspec and the objects' settings.
type Options struct {
	Settings
	Adopt  bool            // takes over objects in the way that are not norn's
	Lock   k8s.LockRequest // its Holder, Wait and Say; the rest is filled in
	Tunnel string          // the tunnel's name, for DNS routes
}

// Run brings the cluster to what spec says. A new Deployment stays paused until its first deploy, unless
// the settings name an image to start with. It returns a *ConflictError, a *PermissionError or a *k8s.HeldError where it may not begin.
func Run(ctx context.Context, cluster Cluster, to pipeline.Reporter, spec *infraspec.Spec, o Options) error {
	if err := check(o); err != nil {
		return err
	}
	o.Lock.Namespace, o.Lock.App = o.Namespace, spec.App
	o.Lock.Say = func(line string) { pipeline.Say(to, "lock", line) }
	if err := permitted(ctx, cluster, forgeNeeds(spec, o.Namespace)); err != nil {
		return err
	}
	return cluster.Holding(ctx, o.Lock, func(ctx context.Context) error {
		r, err := begin(ctx, cluster, spec, o)
		if err != nil {
			return err
		}
		return pipeline.Run(ctx, to, append(r.steps(), r.tunnelSteps()...))
	})
}

// Plan says what Run would change, without changing anything: cluster is a dry one (see k8s.Client.DryRun), whose answers are the API server's own.
func Plan(ctx context.Context, cluster Cluster, to pipeline.Reporter, spec *infraspec.Spec, o Options) ([]Change, error) {
	if err := check(o); err != nil {
		return nil, err
	}
	r, err := begin(ctx, cluster, spec, o)
	if err != nil {
		return nil, err
	}
	r.dry = true
	if err := pipeline.Run(ctx, to, r.steps()); err != nil {
		return nil, err
	}
	return r.changes, r.planTunnel(ctx)
}

func check(o Options) error {
	if o.Image == "" {
		return nil
	}
	_, err := k8s.PullPolicy(o.Image)
	return err
}

// run is one forge: what is wanted, what was found, and what came of it.
type run struct {
	cluster Cluster
	spec    *infraspec.Spec
	options Options
	live    *live
	dry     bool
	changes []Change
}

// begin looks at what is there and refuses, before the first write, what could only fail half-way.
func begin(ctx context.Context, cluster Cluster, spec *infraspec.Spec, o Options) (*run, error) {
	found, err := look(ctx, cluster, spec, o.Settings)
	if err != nil {
		return nil, err
	}
	r := &run{cluster: cluster, spec: spec, options: o, live: found}
	if err := r.conflicts(); err != nil {
		return nil, err
	}
	if err := r.shrinks(); err != nil {
		return nil, err
	}
	if len(found.routes) > 0 && !routed(spec) {
		if err := permitted(ctx, cluster, permissions(TunnelNamespace, tunnelNeeds)); err != nil {
			return nil, err
		}
	}
	return r, affordable(spec, found.budget, found)
}

// conflicts refuses objects in the way that are not norn's, all at once, unless they are to be adopted.
func (r *run) conflicts() error {
	if r.options.Adopt {
		return nil
	}
	var found conflictErrors
	for _, o := range r.live.inTheWay() {
		if err, ok := Owned(o.kind, o.object, r.spec.App).(*ConflictError); ok { //nolint:errorlint // Owned returns it bare
			found = append(found, err)
		}
	}
	return found.orNil()
}

func (r *run) steps() []pipeline.Step {
	var steps []pipeline.Step
	add := func(kind, name string, do stepFunc) {
		steps = append(steps, pipeline.Step{Name: kind + " " + name, Run: do})
	}
	for _, conf := range Claims(r.spec, r.options.Settings) {
		add(kindClaim, *conf.Name, r.claim(conf))
	}
	switch r.spec.Role {
	case infraspec.Webserver, infraspec.Worker:
		add(kindDeployment, r.spec.App, r.deployment)
	case infraspec.Cron:
		add(kindCronJob, r.spec.App, r.cronJob)
	case infraspec.Function: // nothing stands between its calls
	}
	if conf := Service(r.spec, r.options.Settings); conf != nil {
		add(kindService, *conf.Name, r.service(conf))
	}
	return append(steps, r.pruneSteps()...)
}

// detailOf is what a step says of an object that it has changed or made.
func (r *run) record(kind, name string, before, after k8s.Object, detail string) pipeline.Result {
	result := pipeline.Result{State: pipeline.Configured, Detail: detail}
	switch {
	case before == nil:
		result.State = pipeline.Created
	case !r.differs(before, after):
		return pipeline.Result{State: pipeline.Unchanged}
	}
	r.changes = append(r.changes, Change{Kind: kind, Name: name, State: result.State, Before: before, After: after})
	return result
}

// differs tells from the resourceVersions what an apply did; a dry run moves none, so that there the objects themselves are compared.
func (r *run) differs(before, after k8s.Object) bool {
	if !r.dry {
		return before.GetResourceVersion() != after.GetResourceVersion()
	}
	return diffText(before, after) != ""
}

// adopt takes an object over that is not norn's yet; conflicts has let it through.
func (r *run) adopt(ctx context.Context, kind string, o k8s.Object) (string, error) {
	if o == nil || Owned(kind, o, r.spec.App) == nil {
		return "", nil
	}
	if err := r.cluster.Adopt(ctx, o); err != nil {
		return "", fmt.Errorf("%w", err)
	}
	return "adopted", nil
}
