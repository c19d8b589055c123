// Package deploy ships an app: from source to image to pods that are available, and
// back again where they are not. Deploy, rollback and restart share one rollout (rollout.go).
package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/internal/command"
	"norn/internal/pipeline"
	"norn/pkg/forge"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/secrets"
)

// Cluster is what a deploy asks of a cluster.
type Cluster interface {
	rolloutCluster
	secretStore
	locker
	SetImage(ctx context.Context, ns, name string, r k8s.Release) (*appsv1.Deployment, error)
	cronJobs
}

// locker keeps other runs on the same app away.
type locker interface {
	Holding(ctx context.Context, r k8s.LockRequest, do func(context.Context) error) error
}

// locked does what do does while it holds t's lock.
func (t Target) locked(ctx context.Context, cluster locker, to pipeline.Reporter, do func(context.Context) error) error {
	t.Lock.Namespace, t.Lock.App = t.Namespace, t.App
	t.Lock.Say = func(line string) { pipeline.Say(to, "lock", line) }
	return cluster.Holding(ctx, t.Lock, do)
}

type secretStore interface {
	GetSecret(ctx context.Context, ns, name string) (*corev1.Secret, error)
	DropSecretKeys(ctx context.Context, ns, name string, keys []string) (*corev1.Secret, error)
	ApplySecret(ctx context.Context, conf *applycore.SecretApplyConfiguration) (*corev1.Secret, error)
}

var _ Cluster = (*k8s.Client)(nil)

// Options are what a deploy needs besides the infraspec.
type Options struct {
	Target
	Ref       string // git ref; "" is the checkout as it is
	Image     string // ships this image and builds nothing
	Registry  string // where images are pushed
	Builder   string // docker, podman, buildah or nerdctl; "" takes the first there is
	SkipTests bool   // leaves build.test out
	User      string // who deploys, for the change cause
	Redactor  Redactor
}

// UsageError says that what was asked for cannot be done as asked; nothing was begun.
type UsageError struct{ Problem, Advice string }

// Error is the problem.
func (e *UsageError) Error() string { return e.Problem }

// Hint is what to do about it.
func (e *UsageError) Hint() string { return e.Advice }

// Run deploys spec's app. It returns a *RolloutError where the new version did not come up.
func Run(ctx context.Context, cluster Cluster, to pipeline.Reporter, spec *infraspec.Spec, o Options) (err error) {
	if err := check(spec, o); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "norn-deploy-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()

	r := &run{cluster: cluster, spec: spec, options: o, tmp: tmp, dir: filepath.Dir(spec.Path())}
	return o.locked(ctx, cluster, to, func(ctx context.Context) error { return pipeline.Run(ctx, to, r.redacted(r.steps())) })
}

// check refuses, before anything is begun, what could only fail later.
func check(spec *infraspec.Spec, o Options) error {
	switch {
	case !spec.Deploy:
		return &UsageError{fmt.Sprintf("%s says deploy: false", spec.Path()), "remove that line to deploy " + spec.App}
	case spec.Role == infraspec.Function:
		return errors.New("deploy cannot ship a function yet; push its image, and call it with norn invoke --image")
	case len(spec.Migrations.Command) > 0:
		return errors.New("deploy cannot run migrations yet, and does not ship a version without its migration")
	case o.Image == "" && o.Registry == "":
		return &UsageError{"no registry to push the image to", "name one with --registry or NORN_REGISTRY_URL, or ship a built image with --image"}
	case o.Image != "" && o.Ref != "":
		return &UsageError{"a ref and --image exclude each other", "name the version once"}
	}
	if o.Image != "" {
		if _, err := k8s.PullPolicy(o.Image); err != nil {
			return err
		}
	}
	return nil
}

// run is one deploy. Each step fills in what the next ones need.
type run struct {
	cluster Cluster
	spec    *infraspec.Spec
	options Options
	dir     string // the infraspec's folder
	tmp     string // gone when the run ends

	source        source
	builder       builder
	image         string                   // what the pods will run
	values        map[string]secrets.Value // what the infraspec declares, decrypted
	secretVersion string
}

func (r *run) steps() []pipeline.Step {
	steps := append([]pipeline.Step{{Name: "source", Run: r.findSource}}, r.decryption()...)
	if r.options.Image == "" {
		steps = append(steps,
			pipeline.Step{Name: "build", Run: r.build},
			pipeline.Step{Name: "push", Run: r.push},
			pipeline.Step{Name: "test", Run: r.test})
	}
	return append(steps,
		pipeline.Step{Name: "secrets", Run: r.secrets},
		pipeline.Step{Name: "rollout", Run: r.rollout})
}

func (r *run) findSource(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	live, err := r.pod(ctx)
	if err != nil {
		return pipeline.Result{}, err
	}
	if err := stillRead(live, r.spec); err != nil {
		return pipeline.Result{}, err
	}
	if warning := notYetRead(live, r.spec); warning != "" {
		_, _ = fmt.Fprintln(out, warning)
	}
	if r.options.Image != "" {
		r.image = r.options.Image
		return pipeline.Result{State: pipeline.Skipped, Detail: "ships " + r.image}, nil
	}
	if r.source, err = fetch(ctx, r.dir, r.options.Ref, filepath.Join(r.tmp, "source")); err != nil {
		return pipeline.Result{}, err
	}
	if r.spec.Repo.URL != "" {
		_, _ = fmt.Fprintf(out, "warning: norn does not fetch from repo.url yet; it ships the checkout in %s\n", r.dir)
	}
	if r.source.dirty {
		_, _ = fmt.Fprintf(out, "warning: %s has changes that are not committed; they are shipped as %s\n", r.dir, r.source.tag())
	}
	return pipeline.Result{State: pipeline.Done, Detail: r.source.describe()}, nil
}

// pod is what the app's pods are made of now; its workload must be there and norn's own.
func (r *run) pod(ctx context.Context) (corev1.PodSpec, error) {
	if r.spec.Role == infraspec.Cron {
		c, err := r.cronJob(ctx)
		if err != nil {
			return corev1.PodSpec{}, err
		}
		return c.Spec.JobTemplate.Spec.Template.Spec, nil
	}
	d, err := forged(ctx, r.cluster, r.options.Target)
	if err != nil {
		return corev1.PodSpec{}, err
	}
	return d.Spec.Template.Spec, nil
}

// forged reads the app's Deployment, which must be there and norn's own.
func forged(ctx context.Context, cluster historyCluster, t Target) (*appsv1.Deployment, error) {
	d, err := cluster.GetDeployment(ctx, t.Namespace, t.App)
	if k8s.IsNotFound(err) {
		return nil, notForged("Deployment", t)
	}
	if err == nil {
		err = forge.Owned("Deployment", d, t.App)
	}
	if err == nil && d.DeletionTimestamp != nil {
		return nil, &UsageError{fmt.Sprintf("Deployment %s in namespace %s is being deleted", t.App, t.Namespace), "norn status shows what there is"}
	}
	return d, err
}

func notForged(kind string, t Target) error {
	return &UsageError{fmt.Sprintf("there is no %s %s in namespace %s", kind, t.App, t.Namespace), "make it with norn forge, in the app's folder or with the app's name or path"}
}

func (r *run) test(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	switch {
	case r.spec.Build.Test == "":
		return pipeline.Result{State: pipeline.Skipped, Detail: "the infraspec has no build.test"}, nil
	case r.options.SkipTests:
		return pipeline.Result{State: pipeline.Skipped, Detail: "--skip-tests"}, nil
	}
	if err := command.Run(ctx, r.source.dir, out, "/bin/sh", "-c", r.spec.Build.Test); err != nil {
		return pipeline.Result{}, fmt.Errorf("run build.test: %w", err)
	}
	return pipeline.Result{State: pipeline.Done, Detail: r.spec.Build.Test}, nil
}

func (r *run) rollout(ctx context.Context, out io.Writer) (pipeline.Result, error) {
	policy, err := k8s.PullPolicy(r.image)
	if err != nil {
		return pipeline.Result{}, err
	}
	release := k8s.Release{Image: r.image, PullPolicy: policy, Commit: r.source.version(), Cause: r.cause(), SecretVersion: r.secretVersion}
	if r.spec.Role == infraspec.Cron {
		return r.schedule(ctx, release)
	}
	change := func(ctx context.Context) (*appsv1.Deployment, error) {
		return r.cluster.SetImage(ctx, r.options.Namespace, r.spec.App, release)
	}
	run := &rollout{r.options.Target, r.cluster, out}
	return run.roll(ctx, change)
}

// cause is the line that kubectl rollout history shows for this revision. It holds no time (the ReplicaSet has one), so that a
// deploy of what runs already changes nothing.
func (r *run) cause() string {
	what := r.image
	if r.source.commit != "" {
		what = r.source.tag()
	}
	return fmt.Sprintf("norn deploy %s by %s", what, r.options.User)
}
