package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"norn/pkg/deploy/database"
	"norn/pkg/deploy/rollout"
	"norn/pkg/deploy/source"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// sourced is the result of the source step.
type sourced struct {
	live   liveApp                  // what the cluster runs
	tree   source.Tree              // the zero Tree with --image
	spec   *infraspec.Spec          // the version's infraspec
	values map[string]secrets.Value // the declared secrets, decrypted
	// referenced has the declared secrets with values in Secrets that norn does not manage, if the user may read them.
	referenced map[string]secrets.Value
}

// source returns the step that lays out the source, reads its infraspec and the cluster, and decrypts the secrets.
// None of this changes the cluster, so a dry run does the same.
func (r *run) source() pipeline.Step[sourced] {
	read := func(ctx context.Context, out io.Writer) (sourced, pipeline.Result, error) {
		tree, result, err := r.layOut(ctx, out)
		if err != nil {
			return sourced{}, pipeline.Result{}, err
		}
		spec, files, err := r.specOf(ctx, out, tree)
		if err != nil {
			return sourced{}, pipeline.Result{}, err
		}
		shipping := r.withSpec(spec)
		live, err := shipping.readLive(ctx)
		if err != nil {
			return sourced{}, pipeline.Result{}, err
		}
		if err := shipping.checkContinues(out, live); err != nil {
			return sourced{}, pipeline.Result{}, err
		}
		r.options.VersionOnly = shipping.options.VersionOnly
		if err := shipping.compare(out, live); err != nil {
			return sourced{}, pipeline.Result{}, err
		}
		if err := shipping.sayPromoted(out, live); err != nil {
			return sourced{}, pipeline.Result{}, err
		}
		place := shipping.secretPlace(out, files, tree)
		values, err := shipping.secret.decrypt(ctx, place)
		if err != nil {
			return sourced{}, pipeline.Result{}, err
		}
		if err := shipping.sayPromotedSecrets(ctx, out, place, values); err != nil {
			return sourced{}, pipeline.Result{}, err
		}
		referenced, err := shipping.readReferenced(ctx, out)
		return sourced{live, tree, spec, values, referenced}, result, err
	}
	return pipeline.Step[sourced]{Name: "source", Run: read, Plan: read}
}

// specOf returns the infraspec of the version in tree, and its folder. If the version has none, it returns the one on
// disk.
func (r *run) specOf(ctx context.Context, out io.Writer, tree source.Tree) (*infraspec.Spec, string, error) {
	home := tree.Dir
	if r.clones && tree.Dir != "" {
		home = tree.Home(ctx, r.dir, r.spec.Repo)
	}
	if home == "" || home == r.dir || tree.Dirty {
		return r.spec, r.dir, nil
	}
	name := filepath.Base(r.spec.Path())
	spec, _, err := infraspec.LoadAs(r.spec.Path(), filepath.Join(home, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		pipeline.Warn(out, "%s has no %s; norn uses the one in %s", tree.Describe(), name, r.dir)
		return r.spec, r.dir, nil
	case err != nil:
		return nil, "", fmt.Errorf("read the infraspec of %s: %w", tree.Describe(), err)
	case spec.App != r.spec.BaseApp():
		return nil, "", &pipeline.UsageError{
			Problem: fmt.Sprintf("%s of %s sets app: %s, not %s", name, tree.Describe(), spec.App, r.spec.BaseApp()),
			Advice:  "deploy a version of the same app",
		}
	}
	if spec, err = r.inEnvironment(spec, tree); err != nil {
		return nil, "", err
	}
	overlay := objects.CheckOverlay(spec, r.options.HostPaths)
	for _, f := range append(spec.HostPaths(r.options.HostPaths), overlay...) {
		if f.Severity == infraspec.Warning {
			pipeline.Warn(out, "%s, line %d: %s", tree.Describe(), f.Line, f.Message)
		}
	}
	return spec, home, checkSpec(spec, r.options)
}

// secretPlace returns the place of the version's SOPS files, and prints which files it has. They are in files, the
// folder of the version's infraspec. For an infraspec outside the source, they may also be at the top of the source.
func (r *run) secretPlace(out io.Writer, files string, tree source.Tree) secrets.Place {
	place := secrets.Place{Dir: files, Environment: r.spec.Environment}
	if len(r.spec.Secrets) == 0 {
		return place
	}
	where := files
	if r.clones && tree.Dir != "" && files == r.dir && len(existing(place)) == 0 {
		place.Dir, where = tree.Dir, "the top of "+tree.Describe()
	} else if inside, err := filepath.Rel(tree.Dir, files); files != r.dir && err == nil {
		where = tree.Describe()
		if inside != "." {
			where = inside + " of " + where
		}
	}
	found := existing(place)
	if len(found) > 0 {
		_, _ = fmt.Fprintf(out, "%s from %s\n", strings.Join(found, " and "), where)
	}
	own := filepath.Base(place.Own())
	onDisk := existing(secrets.Place{Dir: r.dir, Environment: place.Environment})
	if len(found) > 0 && !slices.Contains(found, own) && slices.Contains(onDisk, own) {
		pipeline.Warn(out, "%s has no %s, so all values are those of %s; commit the file", tree.Describe(), own,
			secrets.FileName)
	}
	return place
}

// existing returns the names of the SOPS files that exist in a place.
func existing(place secrets.Place) []string {
	var names []string
	for _, path := range place.Files() {
		if _, err := os.Lstat(path); err == nil {
			names = append(names, filepath.Base(path))
		}
	}
	return names
}

// compare returns an error if a deploy of the version alone would break the running Pods. It warns about differences
// from the infraspec.
func (r *run) compare(out io.Writer, live liveApp) error {
	if !r.options.VersionOnly {
		return nil
	}
	if err := checkDropped(live.pod, r.spec); err != nil {
		return err
	}
	if warning := notYetRead(live.pod, r.spec); warning != "" && r.spec.Role != infraspec.Function {
		pipeline.Warn(out, "%s", warning)
	} else if len(live.differs) > 0 && r.options.Continues == nil {
		pipeline.Warn(out, "the Deployment differs from the infraspec (%s), and --version-only leaves it as it is",
			strings.Join(live.differs, ", "))
	}
	return nil
}

// layOut lays out the version's source in a folder, or nothing with an image whose commit is unknown.
func (r *run) layOut(ctx context.Context, out io.Writer) (source.Tree, pipeline.Result, error) {
	if r.options.Image != "" && r.options.Ref == "" {
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
	if r.clones {
		return source.Clone(ctx, out, r.spec.Repo, r.options.Selection, r.tmp)
	}
	selection := r.options.Selection
	selection.Context = r.spec.Build.Context
	return source.FromCheckout(ctx, r.dir, selection, filepath.Join(r.tmp, "source"), isRecord)
}

// isRecord reports whether a path in the app's folder is a snapshot or the evidence of a failed rollout. An image must
// hold neither, even if git does not ignore them.
func isRecord(path string) bool {
	folder, name := filepath.Split(filepath.FromSlash(path))
	return filepath.Clean(folder) == database.FolderName && database.IsDump(name) ||
		filepath.Clean(folder) == filepath.FromSlash(rollout.FailuresFolder)
}
