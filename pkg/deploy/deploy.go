// Package deploy ships an app in steps: from source to image to available Pods. Deploy, rollback and restart share one
// rollout (package rollout), which restores the last good version if the new one fails.
package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"norn/internal/command"
	"norn/internal/folder"
	"norn/pkg/deploy/database"
	"norn/pkg/deploy/rollout"
	"norn/pkg/deploy/source"
	"norn/pkg/forge"
	"norn/pkg/forge/drift"
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
	Forge        bool              // first applies the infraspec to the objects
	User         string            // who deploys, for the history
}

// Version selects the version to ship and how to build its image.
type Version struct {
	source.Selection
	Checkout bool   // ships the checkout even if the infraspec has a repo.url
	Image    string // ships this image and builds nothing
	Registry string // where to push images; "" loads them into a local cluster
	Builder  string // docker, podman, buildah or nerdctl; "" is the first one installed
}

// Run deploys spec's app. If the new version does not start, the error is a *rollout.Error.
func Run(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, spec *infraspec.Spec, o Options) error {
	return withRun(ctx, cluster, spec, o, func(r *run) error {
		return o.WithLock(ctx, cluster, to, func(ctx context.Context) error {
			workload, traffic, err := r.forge(ctx, to)
			if err != nil {
				return err
			}
			return r.ship(ctx, o.runner(to), workload, traffic)
		})
	})
}

// Plan reports what each step of Run would do. It reads the cluster and the source, and changes nothing.
func Plan(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, spec *infraspec.Spec, o Options) error {
	return withRun(ctx, cluster, spec, o, func(r *run) error {
		dry := o.runner(to)
		dry.Dry = true
		return r.ship(ctx, dry, r.planForge(), nil)
	})
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
	o.Spec = spec
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
	return do(&run{
		cluster: cluster, spec: spec, options: o, dir: filepath.Dir(spec.Path()), tmp: tmp.Dir, local: local,
		secret: appSecret{cluster, spec, o.Namespace, o.Redactor},
	})
}

// check returns an error for options with which a later step would fail. Without a registry, it also returns the local
// cluster to load images into.
func check(
	ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, o Options,
) (local connect.LocalCluster, err error) {
	switch {
	case !spec.Deploy:
		return local, &pipeline.UsageError{
			Problem: fmt.Sprintf("%s sets deploy: false", spec.Path()),
			Advice:  "remove that line to deploy " + spec.App,
		}
	case Dumps(spec) && !o.SkipSnapshot && !command.Installed("pg_dump"):
		return local, &pipeline.UsageError{
			Problem: "pg_dump is not installed; it is needed to dump the database before the migration",
			Advice:  "install PostgreSQL's client programs, or skip the snapshot with --skip-snapshot",
		}
	case o.Image != "" && o.Ref != "":
		return local, &pipeline.UsageError{Problem: "a ref and --image cannot be combined", Advice: "use one of the two"}
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

// run is one deploy: the state that its steps share. ship passes a step's value to the later steps.
type run struct {
	cluster *k8s.Client
	spec    *infraspec.Spec
	options Options
	dir     string               // the infraspec's folder
	tmp     string               // removed when the run ends
	local   connect.LocalCluster // where to load the image without a registry
	secret  appSecret
}

// shipment is the version that the steps after the build ship.
type shipment struct {
	sourced
	image string // what the pods will run
}

// ship runs the steps of a deploy, or plans them. It runs forge's workload steps before the first step that changes
// the app, and forge's traffic steps after the rollout.
func (r *run) ship(ctx context.Context, p pipeline.Runner, workload, traffic []forgeStep) error {
	src, err := pipeline.RunStep(ctx, p, r.source())
	if err != nil {
		return err
	}
	made, err := pipeline.RunStep(ctx, p, r.build(src.tree))
	if err != nil {
		return err
	}
	image, err := pipeline.RunStep(ctx, p, r.deliver(made))
	if err != nil {
		return err
	}
	if _, err := pipeline.RunStep(ctx, p, r.test(src.tree)); err != nil {
		return err
	}
	if _, err := pipeline.RunAll(ctx, p, workload); err != nil {
		return err
	}
	s := shipment{src, image}
	dump, err := pipeline.RunStep(ctx, p, r.snapshot(s))
	if err != nil {
		return err
	}
	migrated, err := pipeline.RunStep(ctx, p, r.migrate(s, dump))
	if err != nil {
		return err
	}
	secretVersion, err := pipeline.RunStep(ctx, p, r.secrets(s.values))
	if err != nil {
		return err
	}
	if _, err := pipeline.RunStep(ctx, p, r.rollout(s, migrated, secretVersion)); err != nil {
		return err
	}
	if _, err := pipeline.RunAll(ctx, p, traffic); err != nil {
		return err
	}
	_, err = pipeline.RunStep(ctx, p, r.cleanup(src.tree, made))
	return err
}

// forgeStep is one of forge's steps, which changes one object.
type forgeStep = pipeline.Step[drift.Change]

// forge returns forge's steps, or none without --forge. It reads the cluster at once, so that forge can refuse before
// the build.
func (r *run) forge(ctx context.Context, to pipeline.Reporter) (workload, traffic []forgeStep, err error) {
	if !r.options.Forge {
		return nil, nil, nil
	}
	o := forge.Options{Settings: r.options.Settings, Tunnel: r.options.Tunnel, Lock: r.options.Lock}
	o.Lock.Say = func(line string) { pipeline.Say(to, "forge", line) }
	return forge.Steps(ctx, r.cluster, r.spec, o)
}

// planForge returns a placeholder for forge's steps in a dry run. norn diff asks the API server what they would
// change.
func (r *run) planForge() []forgeStep {
	if !r.options.Forge {
		return nil
	}
	detail := "norn diff " + r.spec.App + " shows what would change"
	return []forgeStep{{Name: "forge", Plan: pipeline.Fixed(drift.Change{}, pipeline.Planned, detail)}}
}

// test returns the step that runs build.test in the source's folder.
func (r *run) test(tree source.Tree) pipeline.Step[pipeline.None] {
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		switch {
		case r.options.Image != "":
			return pipeline.Result{State: pipeline.Skipped, Detail: "--image"}, nil
		case r.spec.Build.Test == "":
			return pipeline.Result{State: pipeline.Skipped, Detail: "the infraspec has no build.test"}, nil
		case r.options.SkipTests:
			return pipeline.Result{State: pipeline.Skipped, Detail: "--skip-tests"}, nil
		}
		if err := command.Run(ctx, tree.Dir, out, "/bin/sh", "-c", r.spec.Build.Test); err != nil {
			return pipeline.Result{}, &pipeline.ToolError{
				Doing:  "run build.test",
				Err:    err,
				Advice: "see its output above; to deploy without build.test, pass --skip-tests",
			}
		}
		return pipeline.Result{State: pipeline.Done, Detail: r.spec.Build.Test}, nil
	}
	plan := r.ifBuilt(cmp.Or(r.spec.Build.Test, "the infraspec has no build.test"))
	return pipeline.Step[pipeline.None]{Name: "test", Run: pipeline.Act(run), Plan: planned(plan)}
}

// planned returns the plan of a step without a value.
func planned(detail string) pipeline.Func[pipeline.None] {
	return pipeline.Fixed(pipeline.None{}, pipeline.Planned, detail)
}

// ifBuilt returns plan, or with --image the plan of a step that does nothing.
func (r *run) ifBuilt(plan string) string {
	if r.options.Image != "" {
		return "--image is set"
	}
	return plan
}
