package source

import (
	"cmp"
	"net/url"
	"strings"
)

// RedactURL returns a git address without credentials for a message, or "the repository" if it cannot be parsed.
func RedactURL(address string) string {
	return cmp.Or(WithoutCredentials(address), "the repository")
}

// WithoutCredentials returns a git address without a password or token, or "" if it cannot be parsed. An SSH address
// keeps its user name.
func WithoutCredentials(address string) string {
	u, err := url.Parse(address)
	switch {
	case !strings.Contains(address, "://"): // a path, or git@host:path
		return address
	case err != nil:
		return ""
	case u.User == nil:
		return address
	case u.Scheme == "ssh":
		u.User = url.User(u.User.Username())
	default:
		u.User = nil
	}
	return u.String()
}
