package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/tunnel"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// cloudflared edits cloudflared's configuration and restarts it.
type cloudflared struct {
	cluster *k8s.Client
	out     io.Writer
	adopt   bool // takes over a rule that no app owns
}

// change makes rules the app's only ones in the configuration, and restarts cloudflared if the text has changed. If the
// restart with a new rule fails, change restores the old text. A removed rule stays removed, and the next run restarts
// cloudflared.
func (t *cloudflared) change(ctx context.Context, app string, rules []tunnel.Rule) (pipeline.Result, error) {
	var before *corev1.ConfigMap
	var after string
	var gone []string
	var shadows []tunnel.Shadow
	_, err := t.cluster.PatchConfigMap(ctx, tunnel.Namespace, tunnel.ConfigMap, func(m *corev1.ConfigMap) (err error) {
		before = m.DeepCopy()
		gone, shadows, err = tunnel.Edit(m, app, rules, t.adopt)
		after = m.Data[tunnel.ConfigKey]
		return err
	})
	if missing := missingConfig(err); missing != "" {
		warnUnrouted(t.out, rules, missing)
		return pipeline.Result{State: pipeline.Skipped, Detail: missing}, nil
	}
	if err != nil {
		return pipeline.Result{}, err
	}
	for _, host := range gone {
		_, _ = fmt.Fprintf(t.out, "removed the rule for %s\n", host)
	}
	for _, s := range shadows {
		pipeline.Warn(
			t.out, "the rule for %s comes first and matches %s; move it down in ConfigMap %s",
			s.Pattern, s.Host, tunnel.ConfigMap,
		)
	}
	return t.reload(ctx, app, rules, before, after)
}

// reload restarts cloudflared if the text has changed from before to after, or if an earlier run changed it without a
// restart.
func (t *cloudflared) reload(
	ctx context.Context, app string, rules []tunnel.Rule, before *corev1.ConfigMap, after string,
) (pipeline.Result, error) {
	result := pipeline.Result{State: pipeline.Unchanged}
	if before.Data[tunnel.ConfigKey] != after {
		result.State = pipeline.Configured
	} else if !tunnel.Unfinished(before, app) {
		return result, nil
	}
	err := t.restart(ctx)
	switch {
	case errors.Is(err, errNoDeployment):
		pipeline.Warn(
			t.out, "%v; restart cloudflared yourself, then remove the annotation %s from ConfigMap %s",
			err, metadata.RestartPendingAnnotation, tunnel.ConfigMap,
		)
		return result, nil
	case err != nil && result.State == pipeline.Configured && len(rules) > 0:
		err = fmt.Errorf("restart cloudflared with the new rule: %w", err)
		return pipeline.Result{}, errors.Join(err, t.undo(ctx, app, before, after))
	case err != nil: // restoring the removed rule would not help
		return pipeline.Result{}, fmt.Errorf("restart cloudflared, which has not read its new configuration yet: %w", err)
	}
	_, err = t.cluster.PatchConfigMap(ctx, tunnel.Namespace, tunnel.ConfigMap, func(m *corev1.ConfigMap) error {
		if tunnel.IsPending(m, app, after) { // otherwise another run has changed the text since
			delete(m.Annotations, metadata.RestartPendingAnnotation)
		}
		return nil
	})
	result.State = pipeline.Configured
	return result, err
}

// missingConfig returns which part of cloudflared's configuration is missing, or "" if err has another cause.
func missingConfig(err error) string {
	where := fmt.Sprintf("ConfigMap %s in namespace %s", tunnel.ConfigMap, tunnel.Namespace)
	switch {
	case k8s.IsNotFound(err):
		return "there is no " + where
	case errors.Is(err, tunnel.ErrNoConfig):
		return where + " has no " + tunnel.ConfigKey
	}
	return ""
}

// warnUnrouted warns that norn routes no requests to the hosts of the rules.
func warnUnrouted(out io.Writer, rules []tunnel.Rule, why string) {
	if len(rules) == 0 {
		return
	}
	host := "the host"
	if len(rules) > 1 {
		host = "the hosts"
	}
	pipeline.Warn(out, "norn does not route %s: %s; route %s to %s yourself, or set route (docs/routes.md)",
		hostsOf(rules, ", "), why, host, rules[0].Service)
}

// hostsOf joins the hosts of rules.
func hostsOf(rules []tunnel.Rule, separator string) string {
	hosts := make([]string, 0, len(rules))
	for _, r := range rules {
		hosts = append(hosts, r.Host)
	}
	return strings.Join(hosts, separator)
}

// errNoDeployment reports that there is no Deployment of cloudflared to restart.
var errNoDeployment = fmt.Errorf(
	"there is no Deployment %s in namespace %s to restart", tunnel.Deployment, tunnel.Namespace,
)

// tunnelTimeout is how long to wait for cloudflared.
const tunnelTimeout = 2 * time.Minute

// restart replaces cloudflared's Pods, and waits until the new ones are ready. They read their configuration only
// once.
func (t *cloudflared) restart(ctx context.Context) error {
	d, err := t.cluster.RestartDeployment(ctx, tunnel.Namespace, tunnel.Deployment, time.Now())
	if k8s.IsNotFound(err) {
		return errNoDeployment
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(
		ctx, tunnelTimeout, fmt.Errorf("its Pods were not ready after %s", tunnelTimeout),
	)
	defer cancel()
	err = t.cluster.WatchDeployment(ctx, tunnel.Namespace, tunnel.Deployment, func(now *appsv1.Deployment) (bool, error) {
		if now == nil {
			return false, errors.New("its Deployment was deleted")
		}
		return rolledOut(now, d.Generation)
	})
	return err
}

// rolledOut reports whether a Deployment has finished the rollout of a generation, by the rules of kubectl rollout
// status.
func rolledOut(d *appsv1.Deployment, generation int64) (bool, error) {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	s := d.Status
	if s.ObservedGeneration < generation {
		return false, nil
	}
	for _, c := range s.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Reason == "ProgressDeadlineExceeded" {
			return false, errors.New(c.Message)
		}
	}
	return s.UpdatedReplicas >= want && s.AvailableReplicas >= want && s.Replicas <= s.UpdatedReplicas, nil
}

// undo restores the old text, unless it has changed since, and restarts cloudflared. It works after an interrupt too.
func (t *cloudflared) undo(ctx context.Context, app string, before *corev1.ConfigMap, after string) error {
	ctx, cancel := lease.CleanupContext(ctx, tunnelTimeout)
	defer cancel()
	undone, err := t.cluster.PatchConfigMap(ctx, tunnel.Namespace, tunnel.ConfigMap, func(m *corev1.ConfigMap) error {
		if m.Data[tunnel.ConfigKey] == after {
			m.Data[tunnel.ConfigKey] = before.Data[tunnel.ConfigKey]
			tunnel.MarkPending(m, app)
			return tunnel.OwnersOf(before).Annotate(m)
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("the old configuration was not restored: %w", err)
	case !undone:
		return errors.New("the old configuration was not restored: it has been changed since")
	}
	if _, err := t.cluster.RestartDeployment(ctx, tunnel.Namespace, tunnel.Deployment, time.Now()); err != nil {
		return fmt.Errorf("the old configuration was restored, but cloudflared was not restarted: %w", err)
	}
	return errors.New("the old configuration was restored")
}
