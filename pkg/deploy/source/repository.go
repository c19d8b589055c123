package source

import (
	"context"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// RepositoryOf returns the name of the git repository that contains dir. The name comes from the remote origin, or from
// the only remote if there is no origin. It returns "" without a repository, a remote or git, and if the remote is a
// folder.
func RepositoryOf(ctx context.Context, dir string) string {
	git := gitIn(dir)
	list, err := git(ctx, "remote")
	if err != nil {
		return ""
	}
	remote := "origin"
	if names := parseRefs(list); len(names) == 1 {
		remote = names[0]
	}
	address, err := git(ctx, "remote", "get-url", "--", remote)
	if err != nil {
		return ""
	}
	return RepositoryName(address)
}

// scpAddress matches an address as scp writes it, such as git@example.com:team/shop.git (man git-clone: GIT URLS).
var scpAddress = regexp.MustCompile(`^(?:[^@/:]+@)?([^@/:]{2,}|\[[^]]+\]):([^:].*)$`)

// sshHosts are the names that hosting services give their SSH servers, before the name of the service.
var sshHosts = regexp.MustCompile(`^(?:ssh|altssh)\.(.+\..+)$`)

// printable matches a name that can be shown and compared.
var printable = regexp.MustCompile(`^[[:graph:]]+/[[:graph:]]+$`)

// RepositoryName returns the name of the repository behind a git address, such as github.com/team/shop. The name is the
// same for HTTPS and SSH, on every machine and in CI. It contains no user, password, token or port. The name of a
// folder on this machine is "".
func RepositoryName(address string) string {
	host, folder := "", ""
	if u, err := url.Parse(address); err == nil && u.Scheme != "" && u.Host != "" {
		host, folder = u.Hostname(), u.Path
	} else if m := scpAddress.FindStringSubmatch(address); m != nil && !strings.Contains(address, "://") {
		host, folder = m[1], m[2]
	}
	host, folder = strings.ToLower(host), strings.ToLower(path.Clean("/"+folder))
	if m := sshHosts.FindStringSubmatch(host); m != nil {
		host = m[1]
	}
	if org, found := strings.CutSuffix(host, ".visualstudio.com"); found { // the earlier name of dev.azure.com
		host = "dev.azure.com"
		if org != "vs-ssh" {
			folder = "/" + org + strings.TrimPrefix(folder, "/defaultcollection")
		}
	}
	if host == "dev.azure.com" { // Azure DevOps has different paths for HTTPS and SSH
		folder = strings.Replace(strings.TrimPrefix(folder, "/v3"), "/_git/", "/", 1)
	}
	name := host + strings.TrimSuffix(folder, ".git")
	if host == "" || !printable.MatchString(name) {
		return ""
	}
	return name
}
