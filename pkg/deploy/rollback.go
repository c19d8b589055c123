package deploy

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// Rollback restores the chosen revision, by default the newest verified one before the current one, and waits until it
// runs. If it fails, Rollback restores the revision that ran before.
func Rollback(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, t rollout.Target, choice Choice) error {
	runner := pipeline.Runner{To: to}
	return t.WithLock(ctx, cluster, to, func(ctx context.Context) error {
		if err := checkClaims(ctx, cluster, t); err != nil {
			return err
		}
		chosen, err := pipeline.RunStep(ctx, runner, pipeline.Step[chosenRevision]{
			Name: "choose",
			Run: func(ctx context.Context, out io.Writer) (chosenRevision, pipeline.Result, error) {
				chosen, err := choose(ctx, cluster, t, choice, out)
				return chosen, pipeline.Result{State: pipeline.Done, Detail: rollout.Describe(chosen.Revision)}, err
			},
		})
		if err != nil {
			return err
		}
		t.RanBefore = chosen.ranBefore
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

// Choice is the revision to roll back to.
type Choice struct {
	Revision  string // a number or a commit; "" for the newest verified revision before the current one
	Confirmed bool   // the user agreed to a revision that failed or never ran
}

// Doubt returns the revision that a rollback would choose, and why the user must confirm it. Both are "" if no
// confirmation is needed.
func Doubt(
	ctx context.Context, cluster *k8s.Client, t rollout.Target, choice Choice,
) (revision, doubt string, err error) {
	if err := checkClaims(ctx, cluster, t); err != nil {
		return "", "", err
	}
	_, chosen, err := find(ctx, cluster, t, choice)
	if err != nil {
		return "", "", err
	}
	if doubt = doubtOf(chosen); doubt == "" {
		return "", "", nil
	}
	return rollout.Describe(chosen), doubt, nil
}

// doubtOf returns why a revision is unlikely to run, or "".
func doubtOf(r k8s.Revision) string {
	switch {
	case r.Failed != "":
		return fmt.Sprintf("it failed when it was deployed: %s", r.Failed)
	case !r.Verified && r.Idle:
		return "it had 0 replicas, so it may never have run"
	}
	return ""
}

type chosenRevision struct {
	k8s.Revision
	ranBefore types.UID // the ReplicaSet whose Pods are available now, or ""
}

// choose finds the revision to roll back to, and warns about what the rollback does not undo.
func choose(
	ctx context.Context, cluster *k8s.Client, t rollout.Target, choice Choice, out io.Writer,
) (chosenRevision, error) {
	revisions, chosen, err := find(ctx, cluster, t, choice)
	if err != nil {
		return chosenRevision{}, err
	}
	if doubt := doubtOf(chosen); doubt != "" {
		if !choice.Confirmed { // it changed after the user was asked
			return chosenRevision{}, &pipeline.UsageError{
				Problem: fmt.Sprintf("rollback to %s (%s) needs confirmation", rollout.Describe(chosen), doubt),
				Advice:  "pass --yes to roll back to it",
			}
		}
		pipeline.Warn(out, "%s: %s", rollout.Describe(chosen), doubt)
	} else if !chosen.Verified {
		pipeline.Warn(out, "%s: norn has not watched its rollout", rollout.Describe(chosen))
	}
	now := chosenRevision{Revision: chosen}
	for _, r := range revisions {
		if r.Current && r.Set.Status.AvailableReplicas > 0 {
			now.ranBefore = r.Set.UID
		}
		if r.Current && r.Restored && choice.Revision == "" && r.Number-1 == chosen.Number {
			pipeline.Warn(out, "%s ran before the last rollback or restore; to go further back, pass --to",
				rollout.Describe(chosen))
		}
		if r.Migrated && r.Number > chosen.Number {
			pipeline.Warn(
				out, "a migration ran before %s and is not undone; norn snapshots list shows the snapshot taken before it",
				rollout.Describe(r),
			)
		}
	}
	return now, nil
}

// find returns the app's revisions, newest first, and the chosen one.
func find(
	ctx context.Context, cluster *k8s.Client, t rollout.Target, choice Choice,
) (revisions []k8s.Revision, chosen k8s.Revision, err error) {
	d, err := forged(ctx, cluster, t)
	if err != nil {
		return nil, k8s.Revision{}, err
	}
	revisions, err = cluster.Revisions(ctx, d)
	if err != nil {
		return nil, k8s.Revision{}, err
	}
	if choice.Revision == "" {
		chosen, err = previousVerified(revisions, t.App)
	} else {
		chosen, err = findRevision(revisions, choice.Revision)
	}
	if err == nil && !k8s.Restorable(chosen.Set, t.App) {
		err = &pipeline.UsageError{
			Problem: fmt.Sprintf("cannot roll back to %s: it is from before norn managed the app, and has no container %s",
				rollout.Describe(chosen), t.App),
			Advice: fmt.Sprintf("ship its image with norn deploy %s --image %s", t.App, chosen.Image),
		}
	}
	return revisions, chosen, err
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
func previousVerified(newestFirst []k8s.Revision, app string) (k8s.Revision, error) {
	at := slices.IndexFunc(newestFirst, func(r k8s.Revision) bool { return r.Current })
	for _, r := range newestFirst[at+1:] { // all of them if the current one has no ReplicaSet yet
		if r.Verified && k8s.Restorable(r.Set, app) && (at < 0 || !k8s.SameVersion(newestFirst[at].Set, r.Set)) {
			return r, nil
		}
	}
	return k8s.Revision{}, noEarlierRevision(newestFirst)
}

// findRevision returns the revision with a number, or with a commit that starts with the given digits. If several
// revisions have the commit, a verified one precedes newer ones.
func findRevision(newestFirst []k8s.Revision, target string) (k8s.Revision, error) {
	number := func(r k8s.Revision) bool { return strconv.FormatInt(r.Number, 10) == target }
	commit := func(r k8s.Revision) bool { return isCommit(r.Commit, target) }
	verified := func(r k8s.Revision) bool { return r.Verified && commit(r) }
	for _, matches := range []func(k8s.Revision) bool{number, verified, commit} {
		if i := slices.IndexFunc(newestFirst, matches); i >= 0 {
			return newestFirst[i], nil
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
