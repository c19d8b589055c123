package k8s

import (
	"context"
	"net/http"
	"strings"
)

type guardKey struct{}

// WithGuard returns a context whose writes may calls first. If it returns an error, the write is not sent. The lock of
// an app uses it: a run that was paused for a while must not write under a lock that another run holds by then.
func WithGuard(ctx context.Context, may func(context.Context) error) context.Context {
	return context.WithValue(ctx, guardKey{}, may)
}

// CheckGuard returns an error if a request is a write and the guard of its context forbids it. A transport calls it
// immediately before it sends a request, and again before it repeats one.
func CheckGuard(req *http.Request) error {
	may, ok := req.Context().Value(guardKey{}).(func(context.Context) error)
	if !ok || !changesCluster(req) {
		return nil
	}
	return may(req.Context())
}

// changesCluster reports whether a request is a write. Reviews, which ask a question with a POST, and dry runs are not.
func changesCluster(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	for _, reviews := range []string{"/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/"} {
		if strings.Contains(req.URL.Path, reviews) { // behind some servers, the path has a prefix
			return false
		}
	}
	return !req.URL.Query().Has("dryRun")
}
