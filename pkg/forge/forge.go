// Package forge applies an infraspec to a cluster (Steps), and removes the app again (Teardown). Its sub-packages make
// no calls: objects builds the desired objects, tunnel edits cloudflared's configuration, and drift compares desired
// with live objects.
package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// Options are the options of a forge that are not in the infraspec. The settings are those of SettingsFor.
type Options struct {
	objects.Settings
	Adopt bool // takes over existing objects that norn does not manage, and another repository's app
	// Repository is the app's repository, or "" if unknown. The workload records it.
	Repository string
	Lock       lease.Request // Say prints what Steps waits for
	Tunnel     string        // the tunnel's name, for DNS routes
	Timeout    time.Duration // how long to wait for the controller of a route; 0 means a default
	Strict     bool          // fails if nothing routes the public hosts
	NoWait     bool          // does not wait for the Pods that it replaces
	// DeployFollows pauses a Deployment that changes, until the deploy that follows unpauses it.
	DeployFollows bool
	// Continues leaves the Deployments as they are: a deploy continues their canary, which has the infraspec. The CronJobs
	// change last, so they do not have it yet.
	Continues bool
	// NextImage is the image that the next deploy would ship. It need not exist yet. The API server is asked whether it
	// accepts Pods with this name.
	NextImage string
}

// Step is a step that changes one object. It makes the change, or a Change without a State if nothing changes.
type Step = pipeline.Step[drift.Change]

// Steps returns the steps that apply spec to the cluster, for a caller that holds the app's lock and has checked the
// user's permissions. A new Deployment stays paused until its first deploy, unless the settings name an image to start
// with. If another object is in the way, the error is an *objects.ConflictError.
//
// The steps in workload change the Pod template and the objects that Pods need. With o.DeployFollows, a Deployment
// whose Pods would be replaced is paused until the deploy unpauses it, so that both changes share one rollout.
//
// The steps in traffic route traffic to the new Pods. They run after the rollout: if it failed, a Service with a new
// port would not reach the restored version.
func Steps(
	ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, spec *infraspec.Spec, o Options,
) (workload, traffic []Step, err error) {
	if err := check(o); err != nil {
		return nil, nil, err
	}
	if o.NoDrain && drains(spec) && o.Lock.Say != nil {
		o.Lock.Say(noDrain)
	}
	found, err := waitForDeletions(ctx, cluster, spec, o)
	if err != nil {
		return nil, nil, err
	}
	r := &run{cluster: cluster, to: to, spec: spec, options: o, live: found}
	if r.expires, err = Expiry(ctx, cluster, spec); err != nil {
		return nil, nil, err
	}
	if err := r.begin(ctx); err != nil {
		return nil, nil, err
	}
	workload = r.workloadSteps()
	if o.Continues {
		workload = slices.DeleteFunc(workload, func(s Step) bool { return !ChangesCronJob(s) })
	}
	return workload, r.trafficSteps(), nil
}

// ChangesCronJob reports whether a step changes a CronJob.
func ChangesCronJob(s Step) bool { return strings.HasPrefix(s.Name, objects.KindCronJob+" ") }

// checkCanary returns an error if forge would end the hold of a canary.
func (r *run) checkCanary() error {
	for _, one := range r.runs() {
		if one.live.deployment == nil || r.options.Continues {
			continue
		}
		if err := objects.CheckHeld(one.live.deployment); err != nil {
			return err
		}
	}
	return nil
}

func check(o Options) error {
	if o.Image == "" {
		return nil
	}
	_, err := objects.PullPolicy(o.Image)
	return err
}

// run is one forge: the desired and the live state.
type run struct {
	cluster  *k8s.Client
	to       pipeline.Reporter
	dry      bool    // the cluster keeps no write
	answers  answers // of a plan; nil if the cluster may change before the steps run
	spec     *infraspec.Spec
	options  Options
	live     *live
	expires  time.Time         // when the preview expires, or zero
	unmarked []metadata.Object // the objects that an adoption marks, and that forge does not write
	// routeWorks is whether the new route may replace one of another kind: norn has seen it work, or waited for it before.
	routeWorks bool
	// hostsUnchecked is whether the user cannot list the routes of other namespaces.
	hostsUnchecked bool
	// deferredKeys are the secrets that the new Pods of an adopted Deployment would lack. The Deployment stays paused
	// until the next deploy.
	deferredKeys []string
}

// runs returns the run as each process of the app sees it, the main one first: with its Spec and its live objects.
func (r *run) runs() []*run {
	var all []*run
	for _, w := range r.spec.Workloads() {
		one := *r
		one.spec, one.live = w, r.live.of(w)
		all = append(all, &one)
	}
	return all
}

// drains reports whether a process of the app drains its Pods.
func drains(spec *infraspec.Spec) bool {
	return slices.ContainsFunc(spec.Workloads(), func(w *infraspec.Spec) bool { return objects.Drain(w) > 0 })
}

// begin returns an error, before the first write, if a later write would fail.
func (r *run) begin(ctx context.Context) error {
	r.adoptDisruptions()
	quotas := func() error { return checkQuota(r.spec, r.live.budget, r.live) }
	for _, check := range []func() error{
		r.checkConflicts, r.checkRepository, r.checkEnvironment, r.checkCanary, r.checkSizes, r.checkFixed,
		r.checkTunnelHosts, r.checkRouted, quotas,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	checked, refused := *r, make(chan error, 1)
	go func() { refused <- checked.checkPods(ctx) }()
	err := r.prepare(ctx)
	if refused := <-refused; refused != nil {
		return refused
	}
	return err
}

// prepare reads what the steps need in addition to the live state.
func (r *run) prepare(ctx context.Context) (err error) {
	if r.removesRoute() {
		if err := CheckPermissions(ctx, r.cluster, Permissions(tunnel.Namespace, TunnelGrants())); err != nil {
			return err
		}
	}
	if err := r.checkRoutePruning(ctx); err != nil {
		return err
	}
	if err := r.checkRoute(ctx); err != nil {
		return err
	}
	if err := r.warnCatches(ctx); err != nil {
		return err
	}
	if r.options.Adopt {
		if r.unmarked, err = r.copies(ctx); err != nil {
			return err
		}
	}
	if r.deferredKeys, err = r.checkSecretKeys(ctx); err != nil {
		return err
	}
	return r.checkReferences(ctx)
}

// waitForDeletions reads the app's objects once no deletion is pending. Applying an object that is being deleted would
// be lost.
func waitForDeletions(
	ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, o Options,
) (found *live, err error) {
	say := func(text string) {
		if o.Lock.Say != nil {
			o.Lock.Say("waiting: " + text)
		}
	}
	pending := func(ctx context.Context) (*deletion, error) {
		found, err = readLive(ctx, cluster, spec, o.Settings)
		if err != nil {
			return nil, err
		}
		if err := found.checkClaims(spec.App); err != nil {
			return nil, err
		}
		return firstPending(ctx, cluster, found.all()), nil
	}
	err = waitUntilGone(ctx, time.Now().Add(DefaultDeletionTimeout), say, pending)
	return found, err
}

// checkConflicts returns all conflicts with objects that norn does not manage for the app. Objects without an owner,
// and copies, can be adopted on request, another app's cannot.
func (r *run) checkConflicts() error {
	var found conflictErrors
	for _, o := range r.live.all() {
		conflict, ok := errors.AsType[*objects.ConflictError](objects.CheckOwner(o.kind, o.object, r.spec.App))
		if !ok {
			continue
		}
		if r.options.Adopt && !conflict.Final {
			if conflict = r.unadoptable(o, conflict); conflict == nil {
				continue
			}
		}
		found = append(found, conflict)
	}
	return found.orNil()
}

// unadoptable returns why an object can never match the infraspec, or nil. Kubernetes does not allow changing a
// selector.
func (r *run) unadoptable(o liveObject, conflict *objects.ConflictError) *objects.ConflictError {
	d, ok := o.object.(*appsv1.Deployment)
	if !ok || d.Spec.Selector == nil {
		return nil
	}
	wanted := map[string]string{metadata.AppLabel: d.Name}
	if maps.Equal(d.Spec.Selector.MatchLabels, wanted) && len(d.Spec.Selector.MatchExpressions) == 0 {
		return nil
	}
	conflict.Found = fmt.Sprintf(
		"it cannot be adopted: its selector is %s, not app=%s; a selector is immutable",
		metav1.FormatLabelSelector(d.Spec.Selector), d.Name,
	)
	conflict.Final = true
	return conflict
}

// workloadSteps returns the steps that change the workload and the objects that its Pods need.
func (r *run) workloadSteps() []Step {
	var steps []Step
	for _, conf := range objects.Claims(r.spec, r.options.Settings) {
		steps = append(steps, r.objectStep(objects.KindClaim, *conf.Name, claim(conf)))
	}
	for _, r := range r.runs() {
		switch r.spec.Role {
		case infraspec.Webserver, infraspec.Worker:
			steps = append(steps, r.objectStep(objects.KindDeployment, r.spec.Workload(), (*run).deployment))
		case infraspec.Cron:
			steps = append(steps, r.objectStep(objects.KindCronJob, r.spec.Workload(), (*run).cronJob))
		case infraspec.Function: // has no workload between its calls
		}
	}
	return append(steps, r.adoptSteps()...)
}

// trafficSteps returns the steps that route requests to the app's Pods, and remove objects that the infraspec no
// longer names. An earlier route goes last, so that requests arrive until the new one works.
func (r *run) trafficSteps() []Step {
	return slices.Concat(r.podTrafficSteps(), r.routeSteps(), r.tunnelSteps(), r.pruneSteps())
}

// podTrafficSteps returns the steps that apply the Services and the PodDisruptionBudgets.
func (r *run) podTrafficSteps() []Step {
	var steps []Step
	for _, r := range r.runs() {
		if conf := objects.Service(r.spec, r.options.Settings); conf != nil {
			steps = append(steps, r.objectStep(objects.KindService, *conf.Name, service(conf)))
		}
		steps = append(steps, r.disruptionSteps()...)
	}
	return steps
}

// changeFunc changes one object in the cluster of a run.
type changeFunc = func(*run, context.Context) (drift.Change, pipeline.Result, error)

// objectStep returns a step that changes one object. Its plan makes the same calls with a client that keeps no write.
func (r *run) objectStep(kind, name string, change changeFunc) Step {
	dry := *r
	dry.cluster, dry.dry = r.cluster.DryRun(), true
	in := func(r *run) pipeline.Func[drift.Change] {
		return func(ctx context.Context, _ io.Writer) (drift.Change, pipeline.Result, error) { return change(r, ctx) }
	}
	return Step{Name: kind + " " + name, Run: in(r), Plan: in(&dry)}
}

// outcome returns what an apply did to an object: before is nil if it is new.
func (r *run) outcome(kind string, before, after metadata.Object, detail string) (drift.Change, pipeline.Result) {
	result := pipeline.Result{State: pipeline.Configured, Detail: detail}
	switch {
	case before == nil:
		result.State = pipeline.Created
	case !r.differs(before, after):
		return drift.Change{}, pipeline.Result{State: pipeline.Unchanged}
	}
	return drift.Change{Kind: kind, Name: after.GetName(), State: result.State, Before: before, After: after}, result
}

// differs reports whether an apply changed an object. The resourceVersion alone does not tell: a dry run keeps it, and
// a change of the status moves it.
func (r *run) differs(before, after metadata.Object) bool {
	if !r.dry && before.GetResourceVersion() == after.GetResourceVersion() {
		return false
	}
	return drift.Diff(before, after) != ""
}
