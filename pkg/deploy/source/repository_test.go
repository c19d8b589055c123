package source

import (
	"context"
	"os/exec"
	"strings"
	"testing"
)

func TestRepositoryName(t *testing.T) {
	for address, want := range map[string]string{
		"https://github.com/team/shop.git":                                 "github.com/team/shop",
		"https://github.com/team/shop":                                     "github.com/team/shop",
		"https://github.com/team/shop/":                                    "github.com/team/shop",
		"https://GitHub.com/Team/Shop.git":                                 "github.com/team/shop",
		"https://oauth2:secret@github.com/team/shop.git":                   "github.com/team/shop",
		"https://token@github.com/team/shop.git?private=secret":            "github.com/team/shop",
		"https://github.com:443/team/shop.git":                             "github.com/team/shop",
		"git@github.com:team/shop.git":                                     "github.com/team/shop",
		"github.com:/team/shop":                                            "github.com/team/shop",
		"ssh://git@github.com/team/shop.git":                               "github.com/team/shop",
		"ssh://git@ssh.github.com:443/team/shop.git":                       "github.com/team/shop",
		"git+ssh://git@altssh.gitlab.com:443/a/b/shop.git":                 "gitlab.com/a/b/shop",
		"ssh://git@git.example.com:2222/team/shop.git":                     "git.example.com/team/shop",
		"https://org@dev.azure.com/org/project/_git/shop":                  "dev.azure.com/org/project/shop",
		"git@ssh.dev.azure.com:v3/org/project/shop":                        "dev.azure.com/org/project/shop",
		"https://org.visualstudio.com/project/_git/shop":                   "dev.azure.com/org/project/shop",
		"https://org.visualstudio.com/DefaultCollection/project/_git/shop": "dev.azure.com/org/project/shop",
		"org@vs-ssh.visualstudio.com:v3/org/project/shop":                  "dev.azure.com/org/project/shop",
		"https://gitlab-ci-token:x@gitlab.example.com/a/shop.git":          "gitlab.example.com/a/shop",
		"ssh.internal:team/shop.git":                                       "ssh.internal/team/shop",
		"git@[fd00::1]:team/shop.git":                                      "[fd00::1]/team/shop",

		"":                                   "",
		"/srv/git/shop.git":                  "",
		"../shop.git":                        "",
		"file:///srv/git/shop.git":           "",
		`C:\git\shop`:                        "",
		"C:/git/shop":                        "",
		"ext::sh -c evil":                    "",
		"https://example.com/":               "",
		"https://example.com/a\x1b[31mb/c":   "",
		"https://example.com/a b/c":          "",
		"https://user:secret@/team/shop.git": "",
	} {
		if got := RepositoryName(address); got != want {
			t.Errorf("RepositoryName(%q) = %q, want %q", address, got, want)
		}
		if got := RepositoryName(address); strings.Contains(got, "secret") {
			t.Errorf("RepositoryName(%q) = %q has the password", address, got)
		}
	}
}

func TestRepositoryOf(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	expect := func(want string) {
		t.Helper()
		if got := RepositoryOf(context.Background(), dir); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	expect("")
	git("init", "-q")
	expect("")
	git("remote", "add", "upstream", "git@example.com:team/shop.git")
	expect("example.com/team/shop")
	git("remote", "add", "origin", "https://example.com/ada/shop.git")
	expect("example.com/ada/shop")
	git("remote", "rename", "origin", "fork")
	expect("")
}
