package deploy

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"norn/pkg/deploy/image"
	"norn/pkg/deploy/source"
)

// buildHint returns the hint for a failed build. If the Dockerfile copies a file that is missing from the build
// context, the hint says where the file is. Otherwise it has the commands that repeat the build.
func (r *run) buildHint(ctx context.Context, builder string, b image.Request, tree source.Tree) string {
	for _, name := range image.CopySources(b.Dockerfile) {
		name = strings.TrimPrefix(path.Clean("/"+name), "/")
		switch {
		case exists(b.Dir, name):
			continue
		case exists(r.dir, name):
			if why := tree.Absence(ctx, r.dir, name); why != "" {
				return fmt.Sprintf("%s exists in %s, but %s; commit it, or create it in the Dockerfile", name, r.dir, why)
			}
		case exists(filepath.Dir(b.Dockerfile), name):
			return fmt.Sprintf("%s is outside the build context; set build.context, or put the infraspec next to the "+
				"Dockerfile, for example as infraspec.%s.yaml", name, r.spec.App)
		case exists(tree.Copied, name):
			return fmt.Sprintf("%s is at the top of the repository, outside the build context; set build.context", name)
		}
	}
	commands, dir := tree.Recreate(filepath.Join(os.TempDir(), r.spec.App+"-"+tree.Tag()))
	return "see the output above; to repeat the build, run " +
		strings.Join(append(commands, r.buildCommand(builder, b, dir)), " && ")
}

// buildCommand returns the shell command that repeats a build in dir.
func (r *run) buildCommand(builder string, b image.Request, dir string) string {
	words := []string{builder, "build", "--file", filepath.Join(dir, r.spec.Build.Dockerfile)}
	if b.Target != "" {
		words = append(words, "--target", b.Target)
	}
	if len(b.Platforms) > 0 {
		words = append(words, "--platform", strings.Join(b.Platforms, ","))
	}
	for _, arg := range b.Args {
		if name, _, _ := strings.Cut(arg, "="); image.Declares(b.Dockerfile, name) {
			words = append(words, "--build-arg", arg)
		}
	}
	words = append(words, filepath.Join(dir, r.spec.Build.Context))
	for i := range words {
		words[i] = source.Quote(words[i])
	}
	return strings.Join(words, " ")
}

// exists reports whether dir has a file that matches a pattern.
func exists(dir, pattern string) bool {
	if pattern == "" {
		return true
	}
	found, err := fs.Glob(os.DirFS(dir), pattern)
	return err == nil && len(found) > 0
}
