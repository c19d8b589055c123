// Package deploy ships an app in steps: from source to image to available Pods. Deploy, rollback and restart share one
// rollout (package rollout), which restores the last good version if the new one fails.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"norn/internal/command"
	"norn/internal/folder"
	"norn/pkg/deploy/database"
	"norn/pkg/deploy/rollout"
	"norn/pkg/deploy/source"
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
	"norn/pkg/pipeline"
)

// Options are the options of a deploy that are not in the infraspec.
type Options struct {
	rollout.Target
	Version
	Settings     objects.Settings  // of the objects, for the migration's environment and for forge
	Tunnel       string            // the tunnel's name, for forge
	Database     database.Settings // where this machine reaches the database
	SkipTests    bool              // skips build.test
	SkipSnapshot bool              // skips the dump before a migration
	Force        bool              // replaces the Pods even if nothing has changed
	VersionOnly  bool              // changes only the image and the Secret, not the app's objects
	Strict       bool              // fails if nothing routes the public hosts, for forge
	Canary       CanaryOptions     // whether the rollout begins with a few Pods
	User         string            // who deploys, for the history
	HostPaths    []string          // folders of the nodes that apps may mount without a warning
}

// Version selects the version to ship and how to build its image.
type Version struct {
	source.Selection
	Checkout bool   // ships the checkout even if the infraspec has a repo.url
	Image    string // ships this image and builds nothing
	From     string // the environment in which the image runs, if it is promoted; Ref is then its commit
	// Continues is the version of the canary that the deploy continues, or nil. Image and Ref are then those of it.
	Continues *k8s.Release
	Registry  string // where to push images; "" loads them into a local cluster
	Builder   string // docker, podman, buildah or nerdctl; "" is the first one installed
}

// Run deploys spec's app: a version of its source, with the objects of the infraspec in that version. If the new
// version does not start, the error is a *rollout.Error. shipped is the infraspec of the version.
func Run(
	ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, spec *infraspec.Spec, o Options,
) (shipped *infraspec.Spec, err error) {
	err = withRun(ctx, cluster, spec, o, func(r *run) error {
		if err := forge.CheckPermissions(ctx, cluster, r.needs()); err != nil {
			return err
		}
		return o.WithLock(ctx, cluster, to, func(ctx context.Context) (err error) {
			shipped, err = r.ship(ctx, o.runner(to))
			return err
		})
	})
	return shipped, err
}

// Plan reports what each step of Run would do. It reads the cluster and the source, and changes nothing.
func Plan(
	ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, spec *infraspec.Spec, o Options,
) (shipped *infraspec.Spec, err error) {
	err = withRun(ctx, cluster, spec, o, func(r *run) (err error) {
		dry := o.runner(to)
		dry.Dry = true
		shipped, err = r.ship(ctx, dry)
		return err
	})
	return shipped, err
}

// runner returns a Runner that hides secret values in all output of the steps and of the programs they run.
func (o Options) runner(to pipeline.Reporter) pipeline.Runner {
	r := pipeline.Runner{To: to}
	if o.Redactor != nil {
		r.Filter = o.Redactor.Writer
	}
	return r
}

// withRun calls do with a run, and removes the run's temporary folder afterwards.
func withRun(
	ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, o Options, do func(*run) error,
) (err error) {
	local, err := check(ctx, cluster, spec, o)
	if err != nil {
		return err
	}
	if err := checkClaims(ctx, cluster, o.Target); err != nil {
		return err
	}
	tmp, err := folder.NewTemporary()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tmp.Remove()) }()
	r := &run{
		cluster: cluster, options: o, dir: filepath.Dir(spec.Path()), tmp: tmp.Dir, local: local,
		clones: spec.Repo.URL != "" && !o.Checkout, repo: Repository(ctx, spec),
	}
	return do(r.withSpec(spec))
}

// check returns an error for options with which a later step would fail. Without a registry, it also returns the local
// cluster to load images into.
func check(
	ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, o Options,
) (local connect.LocalCluster, err error) {
	if err := checkSpec(spec, o); err != nil {
		return local, err
	}
	switch {
	case o.Image != "":
		_, err = objects.PullPolicy(o.Image)
		return local, err
	case o.Registry != "":
		return local, nil
	}
	if local, err = connect.Local(ctx, cluster); err != nil {
		return local, err
	}
	if local.Kind == "" {
		return local, &pipeline.UsageError{
			Problem: "no registry configured, and images cannot be loaded into this cluster because it is not local",
			Advice:  "set one with --registry or NORN_REGISTRY_URL, or deploy an existing image with --image",
		}
	}
	return local, nil
}

// checkSpec returns an error if spec forbids a deploy with these options.
func checkSpec(spec *infraspec.Spec, o Options) error {
	if found := objects.CheckOverlay(spec, o.HostPaths); infraspec.HasErrors(found) {
		return infraspec.Errors(found)
	}
	switch {
	case !spec.Deploy:
		return &pipeline.UsageError{
			Problem: fmt.Sprintf("%s sets deploy: false", spec.Path()),
			Advice:  "remove that line to deploy " + spec.App,
		}
	case Dumps(spec) && !o.SkipSnapshot && !command.Installed("pg_dump"):
		return &pipeline.UsageError{
			Problem: "pg_dump is not installed; it is needed to dump the database before the migration",
			Advice:  "install PostgreSQL's client programs, or skip the snapshot with --skip-snapshot",
		}
	}
	return nil
}

// run is one deploy: the state that its steps share. ship passes a step's value to the later steps.
type run struct {
	cluster *k8s.Client
	spec    *infraspec.Spec // after the source step, the infraspec of the version to ship
	options Options
	dir     string               // the infraspec's folder on disk
	tmp     string               // removed when the run ends
	local   connect.LocalCluster // where to load the image without a registry
	clones  bool                 // the source comes from repo.url
	repo    string               // the app's repository, or ""; the same for each version
	secret  appSecret

	standing []rollout.Target // those of the processes with a Deployment, when the workloads change
	deferred []forge.Step     // those of the CronJobs, which change after all Deployments
	canary   *rollout.Canary  // with which the rollout begins, or nil
	drops    bool             // processes that the infraspec no longer has end after the rollout
}

// withSpec returns r with another version of the app's infraspec.
func (r *run) withSpec(spec *infraspec.Spec) *run {
	other := *r
	other.spec, other.options.Spec = spec, spec
	other.secret = secretOf(r.cluster, other.options.Target)
	other.options.PutBack = other.secret.putBack
	return &other
}

// shipment is the version that the steps after the build ship.
type shipment struct {
	sourced
	image string // what the pods will run
	suits suitability
}

// needs returns the permissions that the deploy needs for its infraspec.
func (r *run) needs() []k8s.Permission {
	return forge.DeployNeeds(r.spec, r.options.Namespace, !r.options.VersionOnly)
}

// ship runs the steps of a deploy, or plans them. The steps after the source follow the version's infraspec.
//
// forge's workload steps run directly before the rollout, and its traffic steps after it. A failure before the rollout
// leaves the workload unchanged.
func (r *run) ship(ctx context.Context, p pipeline.Runner) (*infraspec.Spec, error) {
	src, err := pipeline.RunStep(ctx, p, r.source())
	if err != nil {
		return nil, err
	}
	return src.spec, r.shipSource(ctx, p, src)
}

// shipSource runs or plans the steps after the source's.
func (r *run) shipSource(ctx context.Context, p pipeline.Runner, src sourced) error {
	checked := r.needs()
	r = r.withSpec(src.spec)
	unchecked := slices.DeleteFunc(r.needs(), func(p k8s.Permission) bool { return slices.Contains(checked, p) })
	if err := forge.CheckPermissions(ctx, r.cluster, unchecked); err != nil {
		return err
	}
	if err := r.checkVersion(ctx, src); err != nil {
		return err
	}
	workload, traffic, err := r.forge(ctx, p, src)
	if err != nil {
		return err
	}
	r.drops = slices.ContainsFunc(traffic, removesWorkload)
	if p.Dry {
		if src.live.dropped, err = r.dropped(ctx); err != nil {
			return err
		}
	}
	made, err := pipeline.RunStep(ctx, p, r.build(src))
	if err != nil {
		return err
	}
	image, err := pipeline.RunStep(ctx, p, r.deliver(src, made))
	if err != nil {
		return err
	}
	if _, err := pipeline.RunStep(ctx, p, r.test(src.tree)); err != nil {
		return err
	}
	s := shipment{src, r.keep(src, image), made.suits}
	if _, err := r.unchanged(ctx, s.live); err != nil { // a migration would change the data under their version
		return err
	}
	dump, err := pipeline.RunStep(ctx, p, r.snapshot(s))
	if err != nil {
		return err
	}
	migrated, err := pipeline.RunStep(ctx, p, r.migrate(s, dump))
	if err != nil {
		return err
	}
	secret, err := pipeline.RunStep(ctx, p, r.secrets(src))
	if err != nil {
		return err
	}
	if err := r.verified(ctx, p, s, prepared{migrated, dump, secret}); err != nil {
		return r.adviseCopy(err, s.image)
	}
	if err := r.changeWorkload(ctx, p, s.live, workload, r.rollout(s, migrated, secret.version)); err != nil {
		return r.adviseCopy(err, s.image)
	}
	if r.canary != nil && r.canary.Held { // what follows is for the deploy that continues it
		return nil
	}
	if _, err := pipeline.RunAll(ctx, p, traffic); err != nil {
		return err
	}
	if r.options.VersionOnly && !p.Dry { // otherwise, forge has renewed all objects of a preview
		if err := forge.Renew(ctx, r.cluster, r.options.Namespace, r.spec); err != nil {
			return err
		}
	}
	_, err = pipeline.RunStep(ctx, p, r.cleanup(src, made, secret))
	return err
}

// checkVersion returns an error if a later step could not run the version.
func (r *run) checkVersion(ctx context.Context, src sourced) error {
	if err := r.checkUser(ctx, src.live, src.tree); err != nil {
		return err
	}
	if err := r.checkVerify(); err != nil {
		return err
	}
	return r.checkCanary(src.live)
}

// test returns the step that runs build.test in the source's folder.
func (r *run) test(tree source.Tree) pipeline.Step[pipeline.None] {
	switch {
	case r.options.Image != "":
		return skipped("test", pipeline.None{}, r.options.given())
	case r.spec.Build.Test == "":
		return skipped("test", pipeline.None{}, "the infraspec has no build.test")
	case r.options.SkipTests:
		return skipped("test", pipeline.None{}, "--skip-tests")
	}
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		options := command.Options{Dir: tree.Dir, Stdout: out, Stderr: out, Foreign: true}
		if err := command.RunWith(ctx, options, "/bin/sh", "-c", r.spec.Build.Test); err != nil {
			return pipeline.Result{}, &pipeline.ToolError{
				Doing:  "run build.test",
				Err:    err,
				Advice: "see its output above; to deploy without build.test, pass --skip-tests",
			}
		}
		return pipeline.Result{State: pipeline.Done, Detail: r.spec.Build.Test}, nil
	}
	return pipeline.Step[pipeline.None]{Name: "test", Run: pipeline.Act(run), Plan: planned(r.spec.Build.Test)}
}

// skipped returns a step that does nothing, in a dry run too. Its value is value.
func skipped[T any](name string, value T, why string) pipeline.Step[T] {
	none := pipeline.Fixed(value, pipeline.Skipped, why)
	return pipeline.Step[T]{Name: name, Run: none, Plan: none}
}

// planned returns the plan of a step without a value.
func planned(detail string) pipeline.Func[pipeline.None] {
	return pipeline.Fixed(pipeline.None{}, pipeline.Planned, detail)
}

// given returns where the image comes from if norn does not build it.
func (v Version) given() string {
	switch {
	case v.From != "":
		return "the image of environment " + v.From
	case v.Continues != nil:
		return "the image of the canary"
	}
	return "--image"
}
