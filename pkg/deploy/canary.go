package deploy

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// CanaryOptions are the options of a deploy that begins with a few new Pods beside the old ones.
type CanaryOptions struct {
	Pods string        // how many, or the percentage of the replicas, such as "25%"; "" means no canary
	For  time.Duration // how long norn watches them before the rollout continues; 0 leaves them
}

// continues is why a deploy that continues a canary skips a step.
const continues = "the canary has begun with it"

// plan describes the canary, after what a rollout would change.
func (c CanaryOptions) plan() string {
	switch {
	case c.Pods == "":
		return ""
	case c.For == 0:
		return fmt.Sprintf("; a canary of %s first, which stays until norn deploy --continue or norn rollback", c.Pods)
	}
	return fmt.Sprintf("; a canary of %s first, for %s", c.Pods, c.For)
}

// count returns how many Pods of a canary are new, rounded up.
func (c CanaryOptions) count(replicas int32) (int32, error) {
	value := intstr.Parse(c.Pods)
	n, err := intstr.GetScaledValueFromIntOrPercent(&value, int(replicas), true)
	if err != nil || n < 1 && replicas > 0 {
		return 0, &pipeline.UsageError{
			Problem: fmt.Sprintf("--canary %s is not a number of Pods", c.Pods),
			Advice:  "pass a number from 1, or a percentage of the replicas such as 25%",
		}
	}
	return int32(min(n, int(replicas))), nil //nolint:gosec // at most the replicas
}

// checkCanary returns an error if the deploy cannot begin with a canary.
func (r *run) checkCanary(live liveApp) error {
	o := r.options.Canary
	if o.Pods == "" {
		return nil
	}
	standing := false
	for i, spec := range r.spec.Workloads() {
		d := live.all()[i].deployment
		if !spec.Role.Standing() {
			continue
		}
		standing = true
		recreates, err := objects.Recreates(spec, r.options.Settings)
		if err != nil {
			return err
		}
		if r.options.VersionOnly && d != nil { // which leaves the strategy as it is
			recreates = recreates || d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType
		}
		if recreates {
			return &pipeline.UsageError{
				Problem: fmt.Sprintf("a canary of %s cannot run beside the running Pods, because its strategy is Recreate",
					spec.Workload()),
				Advice: "deploy without --canary; a volume that Pods on all nodes can mount needs no Recreate",
			}
		}
		if d == nil {
			continue
		}
		if err := objects.CheckHoldable(d); err != nil {
			return err
		}
		if _, err := o.count(cmp.Or(int32(spec.Replicas), 1)); err != nil { //nolint:gosec // validated
			return err
		}
	}
	if !standing {
		return &pipeline.UsageError{
			Problem: fmt.Sprintf("%s has no Pods that get a canary: its role is %s", r.spec.App, r.spec.Role),
			Advice:  "deploy without --canary",
		}
	}
	return nil
}

// newCanary returns what follows when the Pods of a canary run, or nil without one.
func (r *run) newCanary(s shipment) *rollout.Canary {
	if r.options.Canary.Pods == "" {
		return nil
	}
	c := &rollout.Canary{For: r.options.Canary.For}
	if r.verifies() {
		c.Check = func(ctx context.Context, out io.Writer, pod *corev1.Pod) (*rollout.Failure, error) {
			return (&examination{run: r, s: s, out: out, beside: true}).command(ctx, pod)
		}
	}
	return c
}

// canaryOf returns the canary with which a Deployment gets a release, or nil if no old Pods would run beside it.
// ranBefore is the ReplicaSet that a failure restores, or "".
func (r *run) canaryOf(
	ctx context.Context, out io.Writer, before *appsv1.Deployment, ranBefore types.UID, release k8s.Release,
) (*metadata.Canary, error) {
	none := func(why string) (*metadata.Canary, error) {
		_, _ = fmt.Fprintf(out, "no canary: %s\n", why)
		return nil, nil //nolint:nilnil // no canary
	}
	switch {
	case before.Spec.Replicas != nil && *before.Spec.Replicas == 0:
		return none("the Deployment is scaled to 0")
	case before.Status.Replicas == 0 || ranBefore == "":
		return none("no version ran before")
	}
	after, err := r.cluster.DryRun().SetImage(ctx, before.Namespace, before.Name, release)
	if err != nil {
		return nil, err
	}
	revisions, err := r.cluster.Revisions(ctx, after)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(revisions, func(v k8s.Revision) bool { return v.Current && v.Set.Status.Replicas > 0 }) {
		return none("the version has Pods already")
	}
	pods, err := r.options.Canary.count(*before.Spec.Replicas)
	if err != nil {
		return nil, err
	}
	c := metadata.NewCanary(before, pods, release.Image, ranBefore, time.Now())
	return &c, nil
}

// Continue runs the step that chooses the version of the canary that is held. It sets the options for a deploy that
// ships the version to all Pods, and builds, tests and migrates nothing.
func (o *Options) Continue(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter) error {
	choose := func(ctx context.Context, out io.Writer) (*k8s.Release, pipeline.Result, error) {
		all, err := readProcesses(ctx, cluster, o.Target)
		if err != nil {
			return nil, pipeline.Result{}, err
		}
		d := all.held()
		if d == nil {
			return nil, pipeline.Result{}, nothingHeld(o.App)
		}
		held := k8s.ReleaseOfDeployment(d)
		detail := "the canary, " + metadata.VersionName(held.Commit, held.Image)
		return &held, pipeline.Result{State: pipeline.Done, Detail: detail}, nil
	}
	step := pipeline.Step[*k8s.Release]{Name: "choose", Run: choose, Plan: choose}
	held, err := pipeline.RunStep(ctx, o.runner(to), step)
	if err != nil {
		return err
	}
	o.Image, o.Continues = held.Image, held
	if o.Ref = held.Commit; strings.HasSuffix(o.Ref, metadata.DirtySuffix) {
		o.Ref = "" // git does not have it: the infraspec on disk counts
	}
	return nil
}

func nothingHeld(app string) error {
	return &pipeline.UsageError{
		Problem: app + " has no canary to continue",
		Advice:  fmt.Sprintf("norn status %s shows what runs; deploy a version with norn deploy %[1]s --canary", app),
	}
}

// checkContinues returns an error if the canary that the deploy continues has ended since it was chosen, or is another
// one. If the canary's Pods differ from the infraspec, the deploy ships the version alone.
func (r *run) checkContinues(out io.Writer, live liveApp) error {
	chosen := r.options.Continues
	if chosen == nil {
		return nil
	}
	found := false
	var differs []string
	for _, w := range live.all() {
		if metadata.CanaryOf(w.deployment) == nil {
			continue
		}
		now := k8s.ReleaseOfDeployment(w.deployment)
		if now.Image != chosen.Image || now.Commit != chosen.Commit {
			return objects.CheckHeld(w.deployment)
		}
		found, differs = true, append(differs, w.differs...)
	}
	if !found {
		return nothingHeld(r.spec.App)
	}
	if len(differs) > 0 {
		pipeline.Warn(out, "the infraspec is not that of the canary (%s), so norn ships the version alone; "+
			"to apply the infraspec, deploy it afterwards", strings.Join(differs, ", "))
		r.options.VersionOnly = true
	}
	return nil
}

// held returns the Deployment with a canary that is held, or nil.
func (p processes) held() *appsv1.Deployment {
	for _, s := range p.standing {
		if metadata.CanaryOf(s.live) != nil {
			return s.live
		}
	}
	return nil
}

// beforeCanary returns the release that ran before the canary that is held, if one is.
func (p processes) beforeCanary(history []release) (release, bool) {
	for _, s := range p.standing {
		c := metadata.CanaryOf(s.live)
		if c == nil {
			continue
		}
		i := slices.IndexFunc(history, func(r release) bool {
			part, has := r.parts[s.ProcessName()]
			return has && !r.partial && part.Set.UID == c.RanBefore
		})
		if i >= 0 {
			return history[i], true
		}
	}
	return release{}, false
}
