package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/deploy/rollout"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
)

// gone returns the names of the processes of the chosen release that no longer exist.
func (c chosenRelease) gone() []string {
	var exist []string
	for _, s := range c.from.standing {
		exist = append(exist, s.ProcessName())
	}
	for i := range c.from.crons {
		exist = append(exist, processOf(&c.from.crons[i]))
	}
	return slices.DeleteFunc(slices.Clone(c.processes), func(name string) bool { return slices.Contains(exist, name) })
}

// missing says which processes of the release a rollback cannot bring back, and which command does. It returns "" if
// all exist.
func (c chosenRelease) missing(environment string) string {
	gone := c.gone()
	if len(gone) == 0 {
		return ""
	}
	text := fmt.Sprintf("process %s was part of %s, and no longer exists", gone[0], rollout.Describe(c.Revision))
	again := "create it again"
	if len(gone) > 1 {
		text = fmt.Sprintf("processes %s were part of %s, and no longer exist", strings.Join(gone, ", "),
			rollout.Describe(c.Revision))
		again = "create them again"
	}
	if c.Commit == "" || strings.HasSuffix(c.Commit, metadata.DirtySuffix) {
		return fmt.Sprintf("%s; to %s, deploy an infraspec that has %s", text, again, strings.Join(gone, ", "))
	}
	command := "norn deploy . " + metadata.ShortCommit(c.Commit) + infraspec.EnvironmentFlag(environment)
	return fmt.Sprintf("%s; to %s, run %s", text, again, command)
}

// rollout returns the change to the chosen release. The processes of the release go back to their revisions. The others
// are scaled to 0 afterwards.
func (c chosenRelease) rollout(cluster *k8s.Client, out io.Writer) rollout.Release {
	var all rollout.Release
	var away []standing
	for _, s := range c.from.standing {
		part, was := c.parts[s.ProcessName()]
		if !was {
			away = append(away, s)
			continue
		}
		s.RanBefore, s.After = s.ranBefore(c.history)
		s.PutBack = secretOf(cluster, s.Target).putBack
		if k8s.IsAway(s.live) {
			s.Forged = &rollout.Replacement{Before: s.live, After: k8s.ScaledBack(s.live)}
		}
		change := func(ctx context.Context) (*appsv1.Deployment, error) {
			d, err := s.RestoreRevision(ctx, cluster, out, s.live, part.Set)
			if err != nil {
				return nil, err
			}
			return cluster.ScaleBack(ctx, d)
		}
		all.Members = append(all.Members, rollout.Member{Target: s.Target, Change: change})
	}
	for _, cron := range c.from.crons {
		if name := processOf(&cron); slices.Contains(c.processes, name) {
			all.Jobs = append(all.Jobs, name)
		}
	}
	if len(away)+len(c.from.crons) > 0 {
		all.Last = func(ctx context.Context, out io.Writer) error {
			err := c.complete(ctx, cluster, out, away)
			if err != nil {
				err = putBackCronJobs(ctx, cluster, c.from.crons, errors.Join(err, scaleBack(ctx, cluster, away)))
			}
			return err
		}
	}
	return all
}

// complete changes the processes that need no watch: the CronJobs, and the Deployments that are not part of the
// release.
func (c chosenRelease) complete(ctx context.Context, cluster *k8s.Client, out io.Writer, away []standing) error {
	for i := range c.from.crons {
		if err := c.reschedule(ctx, cluster, out, &c.from.crons[i]); err != nil {
			return err
		}
	}
	for _, s := range away {
		if k8s.IsAway(s.live) {
			continue
		}
		if err := rollout.ScaleAway(ctx, cluster, s.live); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "process %s scaled to 0: it did not exist then\n", s.ProcessName())
	}
	return nil
}

// scaleBack reverts what complete has scaled to 0, except for processes that did not run before.
func scaleBack(ctx context.Context, cluster *k8s.Client, away []standing) error {
	ctx, cancel := lease.CleanupContext(ctx, undoTimeout) // after an interrupt too
	defer cancel()
	var errs []error
	for _, s := range away {
		if k8s.IsAway(s.live) {
			continue
		}
		now, err := cluster.GetDeployment(ctx, s.Namespace, s.Workload())
		if err == nil {
			_, err = cluster.ScaleBack(ctx, now)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// ranBefore returns the current ReplicaSet of the process twice: as the one to restore if the rollback fails, or "" if
// none of its Pods is available, and as the one that another rollback goes back to.
func (s standing) ranBefore(history []release) (restore, current types.UID) {
	for _, r := range history {
		part, has := r.parts[s.ProcessName()]
		if !has || !part.Current {
			continue
		}
		if part.Set.Status.AvailableReplicas > 0 {
			restore = part.Set.UID
		}
		return restore, part.Set.UID
	}
	return "", ""
}

// reschedule sets the version of the release on a CronJob, or suspends it if it is not part of the release.
func (c chosenRelease) reschedule(
	ctx context.Context, cluster *k8s.Client, out io.Writer, cron *batchv1.CronJob,
) error {
	name, app := processOf(cron), c.from.standing[0].App
	if !slices.Contains(c.processes, name) {
		if err := cluster.SuspendCronJob(ctx, cron.Namespace, cron.Name); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "process %s suspended: it did not exist then\n", name)
		return nil
	}
	if _, err := cluster.SetCronJobImage(ctx, cron.Namespace, cron.Name, k8s.ReleaseOf(c.Set, app)); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "process %s runs %s next, with its present schedule and settings\n", name, c.Image)
	return nil
}
