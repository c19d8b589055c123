package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"norn/pkg/pipeline"
)

// checkoutSubmodules checks out the submodules of a commit to target. It reads them from the user's checkout in top.
func checkoutSubmodules(ctx context.Context, top, commit, target string) error {
	list, err := gitIn(top)(ctx, "ls-tree", "-r", "-z", "--full-tree", commit)
	if err != nil {
		return err
	}
	for _, entry := range strings.Split(list, "\x00") {
		info, path, _ := strings.Cut(entry, "\t")
		fields := strings.Fields(info)
		if len(fields) != 3 || fields[1] != "commit" { // mode, kind, name (man git-ls-tree)
			continue
		}
		module := filepath.Join(top, path)
		if _, err := os.Stat(filepath.Join(module, ".git")); err != nil {
			return missingSubmodule(path, top)
		}
		if _, err := gitIn(module)(ctx, "cat-file", "-e", fields[2]+"^{commit}"); err != nil {
			return missingSubmodule(path, top)
		}
		dir := filepath.Join(target, path)
		if err := checkout(ctx, module, fields[2], dir); err != nil {
			return err
		}
		if err := checkoutSubmodules(ctx, module, fields[2], dir); err != nil {
			return err
		}
	}
	return nil
}

func missingSubmodule(path, top string) error {
	return &pipeline.UsageError{
		Problem: fmt.Sprintf("submodule %s of %s is missing the commit to deploy", path, top),
		Advice:  "check out the version to deploy and run git submodule update --init --recursive",
	}
}
