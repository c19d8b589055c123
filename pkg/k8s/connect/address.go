package connect

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// checkAddress refuses a server address that is none. client-go's own text would repeat it, with the password in it.
func checkAddress(t *target) error {
	if _, _, err := rest.DefaultServerURL(t.conf.Host, "", schema.GroupVersion{}, true); err == nil {
		return nil
	}
	return &UnavailableError{
		Reason: fmt.Sprintf("context %q cannot be used: its server address %q is no URL and no HOST:PORT", t.context, withoutCredentials(t.conf.Host)),
		Advice: "correct the address in the kubeconfig; characters of a password that mean something in a URL are written as %XX",
	}
}

// withoutCredentials is a server's address as it may be shown: without a user, a password and parameters, whether it can be parsed or not.
func withoutCredentials(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		scheme, rest = "", address
	}
	rest = rest[strings.LastIndex(rest, "@")+1:]
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	if found {
		return scheme + "://" + rest
	}
	return rest
}
