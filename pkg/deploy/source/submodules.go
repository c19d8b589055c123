package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"norn/pkg/pipeline"
)

// checkoutSubmodules checks out the submodules of a commit to target. It reads them from the user's checkout in top,
// which is at prefix in the source. A submodule that git itself would leave empty stays empty. checkoutSubmodules
// returns the paths that are not in .gitmodules.
func checkoutSubmodules(ctx context.Context, top, commit, target, prefix string) (unlisted []string, err error) {
	git := gitIn(top)
	links, err := gitlinks(ctx, git, commit)
	if err != nil || len(links) == 0 {
		return nil, err
	}
	modules := modulesAt(ctx, git, commit)
	for _, link := range links {
		dir, from := filepath.Join(target, link.path), filepath.Join(top, link.path)
		if !hasCommit(ctx, from, link.commit) {
			switch left := leftOut(ctx, git, modules, link.path); {
			case left == notListed:
				unlisted = append(unlisted, prefix+link.path)
				continue
			case left != "":
				continue
			}
			return nil, missingSubmodule(link.path, top)
		}
		if err := checkout(ctx, from, link.commit, dir); err != nil {
			return nil, err
		}
		more, err := checkoutSubmodules(ctx, from, link.commit, dir, prefix+link.path+"/")
		if err != nil {
			return nil, err
		}
		unlisted = append(unlisted, more...)
	}
	return unlisted, nil
}

// gitlinks returns the submodules of a commit, without their own.
func gitlinks(ctx context.Context, git gitFunc, commit string) ([]gitlink, error) {
	list, err := git(ctx, "ls-tree", "-r", "-z", "--full-tree", commit)
	return parseGitlinks(list), err
}

// modulesAt returns the entries of a commit's .gitmodules by path, or none if the commit has no such file.
func modulesAt(ctx context.Context, git gitFunc, commit string) map[string]module {
	list, err := git(ctx, "config", "-z", "--blob", commit+":.gitmodules", "--list")
	if err != nil {
		return nil
	}
	return parseModules(list)
}

// hasCommit reports whether the submodule's checkout in dir has a commit.
func hasCommit(ctx context.Context, dir, commit string) bool {
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil { // git would find the repository around it
		return false
	}
	_, err := gitIn(dir)(ctx, "cat-file", "-e", commit+"^{commit}")
	return err == nil
}

// The reasons why git submodule update leaves a submodule empty.
const (
	notListed = "not in .gitmodules"
	updateOff = "update = none"
)

// leftOut returns why git would leave a submodule empty, or "". The repository's configuration takes precedence over
// .gitmodules (man git-submodule).
func leftOut(ctx context.Context, git gitFunc, modules map[string]module, path string) string {
	m, ok := modules[path]
	if !ok {
		return notListed
	}
	if own, err := git(ctx, "config", "submodule."+m.name+".update"); err == nil {
		m.update = own
	}
	if m.update == "none" {
		return updateOff
	}
	return ""
}

// warnUnlisted adds warnings about the submodules that are not in .gitmodules, if they are in the app's folder.
func (t *Tree) warnUnlisted(unlisted []string, folder string) {
	for _, path := range unlisted {
		if strings.HasPrefix(path, folder) {
			t.Warnings = append(t.Warnings, path+" is a git repository of its own without an entry in .gitmodules; "+
				"norn leaves it empty, as git does in a clone; to ship its files, add it with git submodule add")
		}
	}
}

func missingSubmodule(path, top string) error {
	return &pipeline.UsageError{
		Problem: fmt.Sprintf("submodule %s of %s is missing the commit to deploy", path, top),
		Advice:  "check out the version to deploy and run git submodule update --init --recursive",
	}
}
