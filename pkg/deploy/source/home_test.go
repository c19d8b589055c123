package source

import (
	"path/filepath"
	"testing"

	"norn/pkg/infraspec"
)

func TestHome(t *testing.T) {
	dir, commits := repository(t)
	clone := Tree{Dir: "/tmp/clone", Commit: commits[0]}
	repo := infraspec.Repo{URL: "https://git.example.com/team/shop.git"}
	if got := clone.Home(t.Context(), dir, repo); got != filepath.Join("/tmp/clone", "apps", "shop") {
		t.Errorf("a checkout with the commit: %q", got)
	}
	other, _ := repository(t)
	clone.Commit = "1111111111111111111111111111111111111111"
	if got := clone.Home(t.Context(), other, repo); got != "" {
		t.Errorf("another repository: %q", got)
	}
	git(t, other, "remote", "add", "origin", "git@git.example.com:team/shop")
	if got := clone.Home(t.Context(), other, repo); got != filepath.Join("/tmp/clone", "apps", "shop") {
		t.Errorf("a checkout with the remote: %q", got)
	}
	if got := clone.Home(t.Context(), t.TempDir(), repo); got != "" {
		t.Errorf("no repository: %q", got)
	}
}

func TestBareAddress(t *testing.T) {
	for _, address := range []string{
		"https://git.example.com/team/shop.git", "https://user:pass@git.example.com/team/shop",
		"git@git.example.com:team/shop.git", "ssh://git@git.example.com/team/shop/",
	} {
		if got := bareAddress(address); got != "git.example.com/team/shop" {
			t.Errorf("%s: %q", address, got)
		}
	}
}
