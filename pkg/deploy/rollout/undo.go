package rollout

import (
	"context"
	"io"
	"slices"

	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// Undo reverts the changes that a deploy has made for t's Pods before its rollout: t.Forged, and what t.PutBack
// reverts. The Pods that run stay, and so does a Pod template that somebody else has changed since.
func Undo(ctx context.Context, cluster *k8s.Client, out io.Writer, t Target) (pipeline.Result, error) {
	result := pipeline.Result{State: pipeline.Unchanged}
	live, err := cluster.GetDeployment(ctx, t.Namespace, t.Workload())
	if k8s.IsNotFound(err) {
		return result, nil
	}
	if err != nil {
		return result, err
	}
	before := live
	if t.Forged != nil {
		before = t.Forged.Before
	}
	revisions, err := cluster.Revisions(ctx, before)
	if err != nil {
		return result, err
	}
	ran := slices.IndexFunc(revisions, func(v k8s.Revision) bool { return v.Current })
	if ran < 0 { // an earlier deploy was interrupted, and nothing ran with this template
		return result, nil
	}
	if err := t.PutBack(ctx, out, revisions[ran].Set); err != nil {
		return result, err
	}
	if t.Forged == nil || live.Generation == before.Generation {
		return result, nil
	}
	if by, _ := metadata.TemplateWriter(t.Forged.After, live); by != "" {
		if err := CheckUnchanged(t.Forged.After, live); err != nil {
			return result, err
		}
	}
	restored, err := restoreTemplate(ctx, cluster, live, revisions[ran].Set)
	if err != nil {
		return result, err
	}
	r := &runner{Target: t, cluster: cluster, out: out}
	_, err = r.revertForge(ctx, restored)
	return pipeline.Result{State: pipeline.Configured, Detail: "Deployment " + t.Workload() + " is as before"}, err
}
