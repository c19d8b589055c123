package connect

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// checkAddress returns an error if the server address is invalid. client-go's own error would quote it with its
// password.
func checkAddress(t *target) error {
	if _, _, err := rest.DefaultServerURL(t.conf.Host, "", schema.GroupVersion{}, true); err == nil {
		return nil
	}
	return &UnavailableError{
		Reason: fmt.Sprintf("context %q cannot be used: invalid server address %q",
			t.context, withoutCredentials(t.conf.Host)),
		Advice: "write the server address as a URL or HOST:PORT in the kubeconfig, with special characters of " +
			"a password as %XX",
	}
}

// withoutCredentials returns a server's address without user, password and parameters, for messages. The address need
// not be valid.
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
