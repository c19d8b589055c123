package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"norn/pkg/pipeline"
)

// submodules lays out the submodules of a commit under into, from the checkout's own copies: exactly the commits that it names.
func submodules(ctx context.Context, top, commit, into string) error {
	list, err := gitIn(top)(ctx, "ls-tree", "-r", "-z", "--full-tree", commit)
	if err != nil {
		return err
	}
	for _, entry := range strings.Split(list, "\x00") {
		about, path, _ := strings.Cut(entry, "\t")
		fields := strings.Fields(about)
		if len(fields) != 3 || fields[1] != "commit" { // mode, kind, name (man git-ls-tree)
			continue
		}
		module := filepath.Join(top, path)
		if _, err := os.Stat(filepath.Join(module, ".git")); err != nil {
			return notHere(path, top)
		}
		if _, err := gitIn(module)(ctx, "cat-file", "-e", fields[2]+"^{commit}"); err != nil {
			return notHere(path, top)
		}
		target := filepath.Join(into, path)
		if err := checkout(ctx, module, fields[2], target); err != nil {
			return err
		}
		if err := submodules(ctx, module, fields[2], target); err != nil {
			return err
		}
	}
	return nil
}

func notHere(path, top string) error {
	return &pipeline.UsageError{Problem: fmt.Sprintf("submodule %s of %s is not here at the commit that is shipped", path, top), Advice: "fetch it with git submodule update --init --recursive, at that commit"}
}
