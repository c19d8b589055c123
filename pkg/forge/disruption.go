package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	policyv1 "k8s.io/api/policy/v1"
	applypolicy "k8s.io/client-go/applyconfigurations/policy/v1"

	"norn/pkg/forge/drift"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// noDrain says what a server older than objects.DrainSince lacks.
var noDrain = fmt.Sprintf("the server is older than Kubernetes 1.%d and cannot delay the end of a Pod: "+
	"drain has no effect, and a rollout may lose requests", objects.DrainSince)

// disruptions are the PodDisruptionBudgets that matter for an app.
type disruptions struct {
	own    *policyv1.PodDisruptionBudget // norn's, or nil
	other  *policyv1.PodDisruptionBudget // somebody else's with the app's name, or nil
	taken  string                        // the name of somebody else's that excludes norn's, or ""
	denied error                         // the user cannot list them, or nil
}

// readDisruptions reads the PodDisruptionBudgets into l.
func readDisruptions(
	ctx context.Context, cluster *k8s.Client, l *live, spec *infraspec.Spec, ns string,
) (keep func(), err error) {
	all, err := cluster.ListDisruptionBudgets(ctx, ns)
	if _, denied := errors.AsType[*k8s.DeniedError](err); denied {
		return func() {
			for _, w := range l.workloads() {
				w.disruption.denied = err
			}
		}, nil
	}
	return func() {
		l.disruption = disruptionsOf(all, spec)
		for _, w := range spec.Workloads()[1:] {
			l.processes[w.Workload()].disruption = disruptionsOf(all, w)
		}
		for i := range all {
			b := &all[i]
			process := b.Labels[metadata.ProcessLabel]
			if process != "" && metadata.IsOwned(b, spec.App) && l.processes[b.Name] == nil {
				l.dropped = append(l.dropped, liveObject{objects.KindDisruptionBudget, b})
			}
		}
	}, err
}

// disruptionsOf returns the PodDisruptionBudgets that matter for one process.
func disruptionsOf(all []policyv1.PodDisruptionBudget, spec *infraspec.Spec) disruptions {
	found := disruptions{taken: objects.OtherDisruptionBudget(all, spec)}
	for i := range all {
		switch b := &all[i]; {
		case b.Name != spec.Workload():
		case metadata.IsOwned(b, spec.App):
			found.own = b
		default:
			found.other = b
		}
	}
	return found
}

// adoptDisruptions makes forge --adopt take over the PodDisruptionBudgets with the names of workloads that need one.
func (r *run) adoptDisruptions() {
	for i, w := range r.live.workloads() {
		d := &w.disruption
		if r.options.Adopt && d.other != nil && d.taken == d.other.Name && r.runs()[i].neededDisruption() != nil {
			d.own, d.taken = d.other, ""
		}
	}
}

// neededDisruption returns the PodDisruptionBudget that the app needs, or nil.
func (r *run) neededDisruption() *applypolicy.PodDisruptionBudgetApplyConfiguration {
	scaled := r.live.deployment != nil && metadata.Scaler(r.live.deployment) != ""
	return objects.DisruptionBudget(r.spec, r.options.Settings, scaled)
}

// wantedDisruption returns the PodDisruptionBudget that norn applies, or nil.
func (r *run) wantedDisruption() *applypolicy.PodDisruptionBudgetApplyConfiguration {
	if r.live.disruption.taken != "" {
		return nil
	}
	return r.neededDisruption()
}

// disruptionSteps returns the step that applies the PodDisruptionBudget. It is skipped without the permission, and if
// somebody else has one for the app: the app runs without norn's.
func (r *run) disruptionSteps() []Step {
	conf := r.neededDisruption()
	if conf == nil {
		return nil
	}
	why := ""
	if taken := r.live.disruption.taken; taken != "" {
		why = fmt.Sprintf("PodDisruptionBudget %s exists and is not managed by norn: left alone", taken)
	} else if denied := r.live.disruption.denied; denied != nil {
		why = notAllowed(denied)
	}
	if why != "" {
		skip := pipeline.Fixed(drift.Change{}, pipeline.Skipped, why)
		return []Step{{Name: objects.KindDisruptionBudget + " " + *conf.Name, Run: skip, Plan: skip}}
	}
	return []Step{r.objectStep(objects.KindDisruptionBudget, *conf.Name, disruption(conf))}
}

func notAllowed(denied error) string {
	if d, ok := errors.AsType[*k8s.DeniedError](denied); ok {
		return fmt.Sprintf("user %q is not allowed to %s %s (see docs/rbac.md)", d.User, d.Verb, d.Resource)
	}
	return denied.Error()
}

func disruption(conf *applypolicy.PodDisruptionBudgetApplyConfiguration) changeFunc {
	return func(r *run, ctx context.Context) (drift.Change, pipeline.Result, error) {
		change, result, err := r.applyDisruption(ctx, conf)
		if _, denied := errors.AsType[*k8s.DeniedError](err); denied {
			return drift.Change{}, pipeline.Result{State: pipeline.Skipped, Detail: notAllowed(err)}, nil
		}
		return change, result, err
	}
}

func (r *run) applyDisruption(
	ctx context.Context, conf *applypolicy.PodDisruptionBudgetApplyConfiguration,
) (drift.Change, pipeline.Result, error) {
	before := object(r.live.disruption.own)
	if _, err := r.adopt(ctx, objects.KindDisruptionBudget, before); err != nil {
		return drift.Change{}, pipeline.Result{}, err
	}
	now, err := applyOrPlan(ctx, r, r.live.disruption.own, conf, r.cluster.CreateDisruptionBudget)
	if err == nil {
		now, err = mark(ctx, r, now, "")
	}
	if err != nil {
		return drift.Change{}, pipeline.Result{}, err
	}
	change, result := r.outcome(objects.KindDisruptionBudget, before, now, "a node's drain evicts one Pod at a time")
	return change, result, nil
}

// replaced says that a change of the Deployment replaces its Pods, and if that is because of norn's upgrade. It returns
// "" if the deploy that follows replaces them anyway.
func (r *run) replaced(before, after *appsv1.Deployment) string {
	text := "its Pods are being replaced"
	var news []string
	if before.Status.Replicas > 0 && r.hadService() {
		news = objects.NewDefaults(before, after, r.spec)
	}
	switch why := "norn's defaults changed (" + strings.Join(news, ", ") + ")"; {
	case len(news) > 0 && after.Spec.Paused:
		return "Pods are replaced: " + why
	case after.Spec.Paused:
		return ""
	case len(news) > 0:
		text += ": " + why
	}
	return strings.TrimSuffix(text+"; "+r.stopsFirst(), "; ")
}

// hadService reports whether the app's Service exists, if the infraspec names one. Until then, the defaults of an app
// with a Service are new because of the infraspec.
func (r *run) hadService() bool {
	conf := objects.Service(r.spec, r.options.Settings)
	return conf == nil || r.live.services[*conf.Name] != nil
}

func (t *teardown) disruptions() []liveObject {
	return liveObjects(objects.KindDisruptionBudget, t.inventory.DisruptionBudgets)
}

// disruption returns the step that deletes the PodDisruptionBudget. Most apps have none, so no step says that.
func (t *teardown) disruption() []removeStep {
	budgets := t.disruptions()
	if len(budgets) == 0 {
		return nil
	}
	run := func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
		removed, err := t.deleteAll(ctx, out, budgets)
		return unlessFailed(deleted(namesIn(removed), ""), err)
	}
	return []removeStep{{
		Name: objects.KindDisruptionBudget, Run: pipeline.Act(run), Plan: wouldDelete(namesIn(budgets), ""),
	}}
}
