package deploy

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"norn/pkg/deploy/source"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// sourced is the result of the source step.
type sourced struct {
	live   liveApp                  // what the cluster runs
	tree   source.Tree              // the zero Tree with --image
	values map[string]secrets.Value // the declared secrets, decrypted
}

// source returns the step that reads the cluster, lays out the source and decrypts its secrets. None of this changes
// the cluster, so a dry run does the same.
func (r *run) source() pipeline.Step[sourced] {
	read := func(ctx context.Context, out io.Writer) (sourced, pipeline.Result, error) {
		live, err := r.readLive(ctx)
		if err != nil {
			return sourced{}, pipeline.Result{}, err
		}
		if err := r.compare(out, live); err != nil {
			return sourced{}, pipeline.Result{}, err
		}
		tree, result, err := r.layOut(ctx, out)
		if err != nil {
			return sourced{}, pipeline.Result{}, err
		}
		values, err := r.secret.decrypt(ctx, tree.Dir)
		return sourced{live, tree, values}, result, err
	}
	return pipeline.Step[sourced]{Name: "source", Run: read, Plan: read}
}

// compare returns an error if the deploy would break the running Pods. It warns about differences from the infraspec,
// which only forge resolves.
func (r *run) compare(out io.Writer, live liveApp) error {
	if r.options.Forge {
		return nil
	}
	if err := stillRead(live.pod, r.spec); err != nil {
		return err
	}
	if warning := notYetRead(live.pod, r.spec); warning != "" && r.spec.Role != infraspec.Function {
		pipeline.Warn(out, "%s", warning)
	} else if len(live.differs) > 0 {
		pipeline.Warn(out, "the Deployment differs from the infraspec (%s); this deploy changes only the version; "+
			"--forge also applies the infraspec", strings.Join(live.differs, ", "))
	}
	return nil
}

// layOut lays out the version's source in a folder, or nothing with --image.
func (r *run) layOut(ctx context.Context, out io.Writer) (source.Tree, pipeline.Result, error) {
	if r.options.Image != "" {
		return source.Tree{}, pipeline.Result{State: pipeline.Skipped, Detail: "ships " + r.options.Image}, nil
	}
	tree, err := r.resolve(ctx, out)
	if err != nil {
		return source.Tree{}, pipeline.Result{}, err
	}
	if tree.Dirty {
		pipeline.Warn(out, "%s has uncommitted changes; they are deployed as %s", r.dir, tree.Tag())
	}
	for _, warning := range tree.Warnings {
		pipeline.Warn(out, "%s", warning)
	}
	if warning := source.LFSPointers(tree.Dir); warning != "" {
		pipeline.Warn(out, "%s", warning)
	}
	return tree, pipeline.Result{State: pipeline.Done, Detail: tree.Describe()}, nil
}

// resolve finds the version in the infraspec's repository or in the checkout.
func (r *run) resolve(ctx context.Context, out io.Writer) (source.Tree, error) {
	if r.spec.Repo.URL != "" && !r.options.Checkout {
		return source.Clone(ctx, out, r.spec.Repo, r.options.Selection, r.tmp)
	}
	return source.FromCheckout(ctx, r.dir, r.options.Ref, filepath.Join(r.tmp, "source"))
}
