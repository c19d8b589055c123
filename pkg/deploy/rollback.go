package deploy

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// Rollback restores the chosen release, by default the newest verified one before the current one, and waits until it
// runs. If it fails, Rollback restores the revisions that ran before.
func Rollback(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, t rollout.Target, choice Choice) error {
	runner := pipeline.Runner{To: to}
	return t.WithLock(ctx, cluster, to, func(ctx context.Context) error {
		if err := checkClaims(ctx, cluster, t); err != nil {
			return err
		}
		chosen, err := pipeline.RunStep(ctx, runner, pipeline.Step[chosenRelease]{
			Name: "choose",
			Run: func(ctx context.Context, out io.Writer) (chosenRelease, pipeline.Result, error) {
				chosen, err := choose(ctx, cluster, t, choice, out)
				return chosen, pipeline.Result{State: pipeline.Done, Detail: rollout.Describe(chosen.Revision)}, err
			},
		})
		if err != nil {
			return err
		}
		_, err = pipeline.RunStep(ctx, runner, pipeline.Step[pipeline.None]{
			Name: "rollout",
			Run: pipeline.Act(func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
				return rollout.Run(ctx, cluster, out, chosen.rollout(cluster, out))
			}),
		})
		if text := chosen.missing(t.Environment); err == nil && text != "" {
			to.Report(pipeline.Event{Kind: pipeline.Warned, Step: "rollout", Line: text}) // the end of what the user reads
		}
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
	chosen, err := find(ctx, cluster, t, choice)
	if err != nil {
		return "", "", err
	}
	if doubt = chosen.doubt(); doubt == "" {
		return "", "", nil
	}
	return rollout.Describe(chosen.Revision), doubt, nil
}

// doubt returns why a release is unlikely to run, or "".
func (r release) doubt() string {
	switch {
	case r.Failed != "":
		return fmt.Sprintf("it failed when it was deployed: %s", r.Failed)
	case !r.Verified && r.Idle:
		return "it had 0 replicas, so it may never have run"
	case !r.Verified && !r.Proven && r.reduced:
		return "one of its processes is gone, and with it how that ended"
	}
	return ""
}

type chosenRelease struct {
	release
	from    processes // as they were when the release was chosen
	history []release // all releases, newest first
}

// choose finds the revision to roll back to, and warns about what the rollback does not undo.
func choose(
	ctx context.Context, cluster *k8s.Client, t rollout.Target, choice Choice, out io.Writer,
) (chosenRelease, error) {
	chosen, err := find(ctx, cluster, t, choice)
	if err != nil {
		return chosenRelease{}, err
	}
	name := rollout.Describe(chosen.Revision)
	if doubt := chosen.doubt(); doubt != "" {
		if !choice.Confirmed { // it changed after the user was asked
			return chosenRelease{}, &pipeline.UsageError{
				Problem: fmt.Sprintf("rollback to %s (%s) needs confirmation", name, doubt),
				Advice:  "pass --yes to roll back to it",
			}
		}
		pipeline.Warn(out, "%s: %s", name, doubt)
	} else if !chosen.Verified {
		pipeline.Warn(out, "%s: norn has not watched its rollout", name)
	}
	for _, r := range chosen.history {
		left := r.Number-1 == chosen.Number || chosen.Set != nil && r.After == chosen.Set.UID
		if r.Current && r.Restored && choice.Revision == "" && left {
			pipeline.Warn(out, "%s ran before the last rollback or restore; to go further back, pass --to", name)
		}
		if r.Proven && r.Failed != "" && !r.Current && choice.Revision == "" && r.Number > chosen.Number {
			pipeline.Warn(out, "%s was verified, and failed later: %s; to go back to it, pass --to",
				rollout.Describe(r.Revision), r.Failed)
		}
		if r.Migrated && r.Number > chosen.Number {
			pipeline.Warn(out, "a migration ran before %s and is not undone%s", rollout.Describe(r.Revision), snapshotHint(t))
		}
	}
	return chosen, nil
}

// snapshotHint returns how to find the snapshot that was taken before a migration, or "" if norn takes none.
func snapshotHint(t rollout.Target) string {
	if t.NoSnapshots {
		return ""
	}
	return "; norn snapshots list shows the snapshot taken before it"
}

// find returns the app's releases and the chosen one.
func find(ctx context.Context, cluster *k8s.Client, t rollout.Target, choice Choice) (found chosenRelease, err error) {
	if found.from, err = readProcesses(ctx, cluster, t); err != nil {
		return found, err
	}
	if found.history, _, err = found.from.releases(ctx, cluster); err != nil {
		return found, err
	}
	if before, held := found.from.beforeCanary(found.history); held && choice.Revision == "" {
		found.release = before
	} else if choice.Revision == "" {
		found.release, err = previousVerified(found.history, t.App)
	} else {
		found.release, err = findRelease(found.history, choice.Revision)
	}
	if err == nil && found.partial {
		err = &pipeline.UsageError{
			Problem: fmt.Sprintf("norn does not know which revisions of the processes belong to %s", found.Version()),
			Advice:  "choose a release with a number: " + describeAll(found.history),
		}
	}
	if err == nil && !found.restorable(t.App) {
		err = &pipeline.UsageError{
			Problem: fmt.Sprintf("cannot roll back to %s: it is from before norn managed the app, and has no container %s",
				rollout.Describe(found.Revision), t.App),
			Advice: fmt.Sprintf("ship its image with norn deploy %s --image %s", t.App, found.Image),
		}
	}
	for _, process := range slices.Sorted(maps.Keys(found.parts)) {
		if err == nil {
			err = secretOf(cluster, t).checkKeys(ctx, found.Revision, found.parts[process].Set)
		}
		if err == nil {
			err = secretOf(cluster, t).checkReferenced(ctx, found.Revision, found.parts[process].Set)
		}
	}
	return found, err
}

// noEarlierRevision returns an error that explains why no release can be chosen, and lists all.
func noEarlierRevision(newestFirst []release) error {
	if slices.ContainsFunc(newestFirst, func(r release) bool { return r.Verified && !r.Current }) {
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

// describeAll returns a line for each release, with its state.
func describeAll(newestFirst []release) string {
	if len(newestFirst) == 0 {
		return "none"
	}
	var known []string
	for _, r := range newestFirst {
		text := rollout.Describe(r.Revision)
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

// previousVerified returns the verified release that ran before the current one, or if norn does not know that, the
// newest verified one before it. It skips releases that differ from the current one only by a restart or by the
// Secret's version: they are the same version.
func previousVerified(newestFirst []release, app string) (release, error) {
	at := slices.IndexFunc(newestFirst, func(r release) bool { return r.Current })
	good := func(r release) bool {
		same := at >= 0 && newestFirst[at].same(r)
		return r.Verified && r.Number > 0 && r.restorable(app) && !same
	}
	if at >= 0 && len(newestFirst[at].Releases) == 0 {
		if r, known := ranBeforeCurrent(newestFirst, newestFirst[at]); known && good(r) {
			return r, nil
		}
	}
	for _, r := range newestFirst[at+1:] { // all of them if the current one has no ReplicaSet yet
		if good(r) {
			return r, nil
		}
	}
	return release{}, noEarlierRevision(newestFirst)
}

// ranBeforeCurrent returns the release of an app with one process that ran before the current one, apart from restarts
// of the same version. Its number does not tell: between the two changes of a deploy, the Deployment may have an older
// ReplicaSet's template, and its controller then gives that ReplicaSet a new number. The releases of several processes
// have numbers of their own.
func ranBeforeCurrent(all []release, current release) (release, bool) {
	r := current
	for range all {
		if r.After == "" { // a restart leaves no mark, and what it replaced has the same version
			at := slices.IndexFunc(all, func(o release) bool { return o.Number < r.Number && o.Verified && current.same(o) })
			if at < 0 {
				return release{}, false
			}
			r = all[at]
			continue
		}
		at := slices.IndexFunc(all, func(o release) bool { return o.Set != nil && o.Set.UID == r.After })
		if at < 0 {
			return release{}, false
		}
		if r = all[at]; !current.same(r) {
			return r, true
		}
	}
	return release{}, false
}

// findRelease returns the release with a number, or with a commit that starts with the given digits. If several have
// the commit, a verified one precedes newer ones. A release that has only the same content comes last.
func findRelease(newestFirst []release, target string) (release, error) {
	number := func(r release) bool { return strconv.FormatInt(r.Number, 10) == target }
	earlier := func(r release) bool {
		n, err := strconv.ParseInt(target, 10, 64)
		return err == nil && slices.Contains(r.earlier, n)
	}
	commit := func(r release) bool { return isCommit(r.Commit, target) }
	verified := func(r release) bool { return r.Verified && commit(r) }
	also := func(r release) bool {
		return slices.ContainsFunc(r.Also, func(commit string) bool { return isCommit(commit, target) })
	}
	for _, matches := range []func(release) bool{number, earlier, verified, commit, also} {
		if i := slices.IndexFunc(newestFirst, matches); i >= 0 {
			return newestFirst[i], nil
		}
	}
	return release{}, &pipeline.UsageError{
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
