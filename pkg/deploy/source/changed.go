package source

import (
	"context"
	"path/filepath"
)

// ChangedSince reports whether the files of an app differ from those of the commit that ref names: in its folder, and
// in the build context. Uncommitted and new files count too.
func ChangedSince(ctx context.Context, dir, buildContext, ref string) (bool, error) {
	git := gitIn(dir, "GIT_OPTIONAL_LOCKS=0")
	commit, err := git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		if ctx.Err() != nil {
			return false, err
		}
		return false, unknownRef(ctx, git, dir, ref)
	}
	paths := []string{"--", ".", filepath.Join(".", buildContext)}
	changed, err := git(ctx, append([]string{"diff", "--name-only", commit}, paths...)...)
	if err != nil || changed != "" {
		return changed != "", err
	}
	added, err := git(ctx, append([]string{"ls-files", "--others", "--exclude-standard"}, paths...)...)
	return added != "", err
}
