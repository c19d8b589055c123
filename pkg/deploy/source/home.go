package source

import (
	"context"
	"path/filepath"
	"strings"

	"norn/pkg/infraspec"
)

// Home returns the folder in a clone of repo that corresponds to dir in the user's checkout of the same repository. It
// returns "" if dir belongs to another repository or to none.
func (t Tree) Home(ctx context.Context, dir string, repo infraspec.Repo) string {
	git := gitIn(dir)
	prefix, err := git(ctx, "rev-parse", "--show-prefix")
	if err != nil || !sameRepository(ctx, git, t.Commit, repo.URL) {
		return ""
	}
	return filepath.Join(t.Dir, prefix)
}

// sameRepository reports whether a checkout belongs to the repository at address: it contains the commit, or one of its
// remotes has that address.
func sameRepository(ctx context.Context, git gitFunc, commit, address string) bool {
	if _, err := git(ctx, "cat-file", "-e", commit+"^{commit}"); err == nil {
		return true
	}
	remotes, err := git(ctx, "config", "--get-regexp", `^remote\..*\.url$`)
	if err != nil {
		return false
	}
	for line := range strings.Lines(remotes) {
		if _, url, ok := strings.Cut(strings.TrimSpace(line), " "); ok && bareAddress(url) == bareAddress(address) {
			return true
		}
	}
	return false
}

// bareAddress returns a repository's host and path, which are the same for HTTPS and SSH addresses.
func bareAddress(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	} else {
		address = strings.Replace(address, ":", "/", 1) // user@host:path
	}
	if at := strings.LastIndex(address, "@"); at >= 0 {
		address = address[at+1:]
	}
	return strings.TrimSuffix(strings.TrimRight(address, "/"), ".git")
}
