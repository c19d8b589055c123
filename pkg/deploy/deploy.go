// Package deploy ships an app, as steps: from source to image to pods that are available. Deploy, rollback and restart share
// one rollout (rollout), which brings the last version back if the new one fails.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"norn/internal/command"
	"norn/internal/folder"
	"norn/pkg/deploy/database"
	"norn/pkg/deploy/image"
	"norn/pkg/deploy/rollout"
	"norn/pkg/deploy/source"
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// Options are what a deploy needs besides the infraspec.
type Options struct {
	rollout.Target
	Version
	Settings     objects.Settings  // of the objects: the migration's environment, and forge's where that comes first
	Tunnel       string            // the tunnel's name, for forge
	Database     database.Settings // where this machine reaches the database
	SkipTests    bool              // leaves build.test out
	SkipSnapshot bool              // leaves the dump before a migration out
	Force        bool              // replaces the pods also where nothing has changed
	Forge        bool              // brings the objects to what the infraspec says, just before the new version
	User         string            // who deploys, for the history
}

// Version says which version is shipped, and how its image is made.
type Version struct {
	source.Selection
	Checkout bool   // ships the checkout though the infraspec has a repo.url
	Image    string // ships this image and builds nothing
	Registry string // where images are pushed; "" loads them into a cluster on this machine
	Builder  string // docker, podman, buildah or nerdctl; "" takes the first there is
}

// Run deploys spec's app. It returns a *rollout.Error if the new version did not come up.
func Run(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, spec *infraspec.Spec, o Options) error {
	return prepared(ctx, cluster, spec, o, func(r *run) error {
		return o.WithLock(ctx, cluster, to, func(ctx context.Context) error {
			steps, err := r.steps(ctx, to)
			if err != nil {
				return err
			}
			return pipeline.Run(ctx, to, r.redacted(steps))
		})
	})
}

// Plan says what each step of Run would do, and does nothing but look.
func Plan(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, spec *infraspec.Spec, o Options) error {
	return prepared(ctx, cluster, spec, o, func(r *run) error { return pipeline.Run(ctx, to, r.redacted(r.plans())) })
}

// prepared makes a run with a temporary folder that is gone when do has ended.
func prepared(ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, o Options, do func(*run) error) (err error) {
	o.Spec = spec
	r := &run{cluster: cluster, spec: spec, options: o, dir: filepath.Dir(spec.Path())}
	if r.local, err = check(ctx, cluster, spec, o); err != nil {
		return err
	}
	tmp, err := folder.NewTemporary()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tmp.Remove()) }()
	r.tmp = tmp.Dir
	return do(r)
}

// check refuses, before anything is begun, what could only fail later. It returns the cluster on this machine that images are
// loaded into, where there is no registry.
func check(ctx context.Context, cluster *k8s.Client, spec *infraspec.Spec, o Options) (local connect.LocalCluster, err error) {
	switch {
	case !spec.Deploy:
		return local, &pipeline.UsageError{Problem: fmt.Sprintf("%s says deploy: false", spec.Path()), Advice: "remove that line to deploy " + spec.App}
	case Dumps(spec) && !o.SkipSnapshot && !command.Installed("pg_dump"):
		return local, &pipeline.UsageError{Problem: "pg_dump is not installed, and the database is dumped before its migration", Advice: "install PostgreSQL's client programs, or leave the dump out with --skip-snapshot"}
	case o.Image != "" && o.Ref != "":
		return local, &pipeline.UsageError{Problem: "a ref and --image exclude each other", Advice: "name the version once"}
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
		return local, &pipeline.UsageError{Problem: "no registry to push the image to, and the cluster is not one on this machine that images could be loaded into", Advice: "name one with --registry or NORN_REGISTRY_URL, or ship a built image with --image"}
	}
	return local, nil
}

// run is one deploy. Each step fills in what the next ones need.
type run struct {
	cluster *k8s.Client
	spec    *infraspec.Spec
	options Options
	dir     string               // the infraspec's folder
	tmp     string               // gone when the run ends
	local   connect.LocalCluster // what the image is loaded into, where there is no registry

	before        running
	source        source.Tree
	builder       image.Builder
	image         string                   // what the pods will run
	values        map[string]secrets.Value // what the infraspec declares, decrypted
	secretVersion string
	dumped        string // the snapshot that was taken
	migrated      string // the version whose migration has run
}

// steps are the nine of a deploy, with forge's before the first that touches the cluster and after the rollout. forge looks at once, so that what it
// refuses is refused before the build.
func (r *run) steps(ctx context.Context, to pipeline.Reporter) ([]pipeline.Step, error) {
	var workload, traffic []pipeline.Step
	if r.options.Forge {
		var err error
		o := forge.Options{Settings: r.options.Settings, Tunnel: r.options.Tunnel, Lock: r.options.Lock}
		o.Lock.Say = func(line string) { pipeline.Say(to, "forge", line) }
		if workload, traffic, err = forge.Steps(ctx, r.cluster, r.spec, o); err != nil {
			return nil, err
		}
	}
	return slices.Concat([]pipeline.Step{
		{Name: "source", Run: r.findSource},
		{Name: "build", Run: r.build},
		{Name: r.delivery(), Run: r.deliver},
		{Name: "test", Run: r.test},
	}, workload, []pipeline.Step{
		{Name: "snapshot", Run: r.snapshot},
		{Name: "migrate", Run: r.migrate},
		{Name: "secrets", Run: r.secrets},
		{Name: "rollout", Run: r.rollout},
	}, traffic, []pipeline.Step{
		{Name: "cleanup", Run: r.cleanup},
	}), nil
}

func (r *run) findSource(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	var err error
	if r.before, err = r.current(ctx); err != nil {
		return pipeline.Result{}, err
	}
	if !r.options.Forge { // otherwise the pods will read what the infraspec declares
		if err := stillRead(r.before.pod, r.spec); err != nil {
			return pipeline.Result{}, err
		}
		if warning := notYetRead(r.before.pod, r.spec); warning != "" && r.spec.Role != infraspec.Function {
			pipeline.Warn(out, "%s", warning)
		} else if len(r.before.differs) > 0 {
			pipeline.Warn(out, "the Deployment is not as the infraspec says (%s), and the version alone is shipped: --forge brings both", strings.Join(r.before.differs, ", "))
		}
	}
	if r.options.Image != "" {
		r.image = r.options.Image
		return pipeline.Result{State: pipeline.Skipped, Detail: "ships " + r.image}, r.decrypt(ctx)
	}
	into := filepath.Join(r.tmp, "source")
	if r.spec.Repo.URL != "" && !r.options.Checkout {
		r.source, err = source.Clone(ctx, out, r.spec.Repo, r.options.Selection, r.tmp)
	} else {
		r.source, err = source.FromCheckout(ctx, r.dir, r.options.Ref, into)
	}
	if err != nil {
		return pipeline.Result{}, err
	}
	if r.source.Dirty {
		pipeline.Warn(out, "%s has changes that are not committed; they are shipped as %s", r.dir, r.source.Tag())
	}
	if warning := source.LFSPointers(r.source.Dir); warning != "" {
		pipeline.Warn(out, "%s", warning)
	}
	return pipeline.Result{State: pipeline.Done, Detail: r.source.Describe()}, r.decrypt(ctx)
}

// forged reads the app's Deployment, which must be there and norn's own.
func forged(ctx context.Context, cluster *k8s.Client, t rollout.Target) (*appsv1.Deployment, error) {
	d, err := cluster.GetDeployment(ctx, t.Namespace, t.App)
	if k8s.IsNotFound(err) {
		if _, err := cluster.GetCronJob(ctx, t.Namespace, t.App); err == nil {
			return nil, &pipeline.UsageError{Problem: t.App + " is a cron app, which has no rollout and no history", Advice: "norn status shows what it runs; norn deploy changes the version of its next run"}
		}
		return nil, notForged("Deployment", t)
	}
	if err == nil {
		err = objects.CheckOwner("Deployment", d, t.App)
	}
	if err == nil && d.DeletionTimestamp != nil {
		return nil, &pipeline.UsageError{Problem: fmt.Sprintf("Deployment %s in namespace %s is being deleted", t.App, t.Namespace), Advice: "norn status shows what there is"}
	}
	return d, err
}

func notForged(kind string, t rollout.Target) error {
	return &pipeline.UsageError{Problem: fmt.Sprintf("there is no %s %s in namespace %s", kind, t.App, t.Namespace), Advice: "make it with norn forge; norn deploy --forge makes it and ships at once"}
}

func (r *run) test(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	switch {
	case r.options.Image != "":
		return pipeline.Result{State: pipeline.Skipped, Detail: "--image"}, nil
	case r.spec.Build.Test == "":
		return pipeline.Result{State: pipeline.Skipped, Detail: "the infraspec has no build.test"}, nil
	case r.options.SkipTests:
		return pipeline.Result{State: pipeline.Skipped, Detail: "--skip-tests"}, nil
	}
	if err := command.Run(ctx, r.source.Dir, out, "/bin/sh", "-c", r.spec.Build.Test); err != nil {
		return pipeline.Result{}, &pipeline.ToolError{Doing: "run build.test", Err: err, Advice: "its output above says why; --skip-tests ships without them"}
	}
	return pipeline.Result{State: pipeline.Done, Detail: r.spec.Build.Test}, nil
}
