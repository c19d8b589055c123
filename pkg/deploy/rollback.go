package deploy

import (
	"context"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// Rollback restores the newest verified revision before the current one, or the given revision (a number or a commit),
// and waits until it runs.
func Rollback(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, t rollout.Target, revision string) error {
	t.KeepFailed = "a rollback is not rolled back"
	runner := pipeline.Runner{To: to}
	return t.WithLock(ctx, cluster, to, func(ctx context.Context) error {
		if err := checkClaims(ctx, cluster, t); err != nil {
			return err
		}
		chosen, err := pipeline.RunStep(ctx, runner, pipeline.Step[k8s.Revision]{
			Name: "choose",
			Run: func(ctx context.Context, out io.Writer) (k8s.Revision, pipeline.Result, error) {
				chosen, err := choose(ctx, cluster, t, revision, out)
				return chosen, pipeline.Result{State: pipeline.Done, Detail: rollout.Describe(chosen)}, err
			},
		})
		if err != nil {
			return err
		}
		_, err = pipeline.RunStep(ctx, runner, pipeline.Step[pipeline.None]{
			Name: "rollout",
			Run: pipeline.Act(func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
				return rollout.Run(ctx, cluster, out, t, func(ctx context.Context) (*appsv1.Deployment, error) {
					return cluster.RestoreTemplate(ctx, t.Namespace, t.App, chosen.Set)
				})
			}),
		})
		return err
	})
}

func choose(
	ctx context.Context, cluster *k8s.Client, t rollout.Target, revision string, out io.Writer,
) (chosen k8s.Revision, err error) {
	d, err := forged(ctx, cluster, t)
	if err != nil {
		return k8s.Revision{}, err
	}
	revisions, err := cluster.Revisions(ctx, d)
	if err != nil {
		return k8s.Revision{}, err
	}
	if revision == "" {
		chosen, err = previousVerified(revisions)
	} else {
		chosen, err = findRevision(revisions, revision)
	}
	if err == nil && chosen.Failed != "" {
		pipeline.Warn(out, "%s failed when it was deployed: %s", rollout.Describe(chosen), chosen.Failed)
	}
	for _, r := range revisions {
		if err == nil && r.Migrated && r.Number > chosen.Number {
			pipeline.Warn(
				out, "a migration ran before %s and is not undone; norn snapshots list shows the snapshot taken before it",
				rollout.Describe(r),
			)
		}
	}
	return chosen, err
}

// noEarlierRevision returns an error that explains why no revision can be chosen, and lists all revisions.
func noEarlierRevision(newestFirst []k8s.Revision) error {
	if slices.ContainsFunc(newestFirst, func(r k8s.Revision) bool { return r.Verified && !r.Current }) {
		return &pipeline.UsageError{
			Problem: "all other verified revisions run the current version",
			Advice:  "choose one with --to: " + describeAll(newestFirst),
		}
	}
	return &pipeline.UsageError{
		Problem: "no earlier verified version to roll back to",
		Advice:  "revisions: " + describeAll(newestFirst),
	}
}

// describeAll returns a line for each revision, with its state.
func describeAll(newestFirst []k8s.Revision) string {
	if len(newestFirst) == 0 {
		return "none"
	}
	var known []string
	for _, r := range newestFirst {
		text := rollout.Describe(r)
		switch {
		case r.Current:
			text += " (current)"
		case r.Failed != "":
			text += fmt.Sprintf(" (failed: %s)", r.Failed)
		}
		known = append(known, text)
	}
	return strings.Join(known, "; ")
}

// previousVerified returns the newest verified revision before the current one. It skips revisions that differ from
// the current one only by a restart or by the Secret's version: they are the same version.
func previousVerified(newestFirst []k8s.Revision) (k8s.Revision, error) {
	at := slices.IndexFunc(newestFirst, func(r k8s.Revision) bool { return r.Current })
	for _, r := range newestFirst[at+1:] { // all of them if the current one has no ReplicaSet yet
		if r.Verified && (at < 0 || !sameVersion(newestFirst[at].Set, r.Set)) {
			return r, nil
		}
	}
	return k8s.Revision{}, noEarlierRevision(newestFirst)
}

// findRevision returns the revision with a number, or with a commit that starts with the given digits.
func findRevision(newestFirst []k8s.Revision, target string) (k8s.Revision, error) {
	for _, r := range newestFirst {
		if strconv.FormatInt(r.Number, 10) == target || isCommit(r.Commit, target) {
			return r, nil
		}
	}
	return k8s.Revision{}, &pipeline.UsageError{
		Problem: fmt.Sprintf("no revision %q in the history", target),
		Advice:  "use a revision number or at least 7 digits of a commit; revisions: " + describeAll(newestFirst),
	}
}

// isCommit reports whether target, of seven digits or more, abbreviates commit. Both or neither must be dirty.
func isCommit(commit, target string) bool {
	commit, dirty := strings.CutSuffix(commit, metadata.DirtySuffix)
	target, wantDirty := strings.CutSuffix(target, metadata.DirtySuffix)
	return dirty == wantDirty && len(target) >= 7 && strings.HasPrefix(commit, target)
}

func sameVersion(a, b *appsv1.ReplicaSet) bool {
	return reflect.DeepEqual(normalizedTemplate(a), normalizedTemplate(b))
}

// normalizedTemplate returns a Pod template without the fields that change within a version: those set by a restart,
// by a new version of the Secret and by the controller.
func normalizedTemplate(rs *appsv1.ReplicaSet) corev1.PodTemplateSpec {
	t := *rs.Spec.Template.DeepCopy()
	maps.DeleteFunc(t.Annotations, func(k, _ string) bool { return metadata.IsRestartAnnotation(k) })
	if len(t.Annotations) == 0 {
		t.Annotations = nil
	}
	delete(t.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return t
}
