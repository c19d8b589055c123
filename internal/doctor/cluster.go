package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	utilversion "k8s.io/apimachinery/pkg/util/version"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
	"norn/pkg/pipeline"
)

// cluster makes the connection that all checks share.
func (e *examination) cluster(ctx context.Context) Verdict {
	client, err := e.Connect(ctx)
	if err != nil {
		e.publish(nil, nil)
		return problem(pipeline.HintOf(err), "%s", err)
	}
	server, err := client.Server(ctx)
	e.publish(client, server)
	if err != nil { // the server answered, though with an error
		return ok("connected to context %s", client.Context)
	}
	return ok("connected to context %s at %s in %.1f ms",
		client.Context, server.Address, float64(server.RoundTrip)/float64(time.Millisecond))
}

// publish starts the checks that wait for the cluster. Only its first call counts: the cluster check can end before the
// connection is complete.
func (e *examination) publish(client *k8s.Client, server *k8s.Server) {
	e.published.Do(func() {
		e.client, e.server = client, server
		close(e.connected)
	})
}

// clusterWait returns the time limit for the cluster check. It is longer than Connect's own limits together, so that
// Connect can report what was too slow: a credential plugin, or one of two requests.
func (e *examination) clusterWait() time.Duration {
	return e.PluginWait + 2*cmp.Or(e.Wait, answerWait) + time.Second
}

// is reports whether an error of type E is in err's chain.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func (e *examination) version(context.Context) Verdict {
	if e.server == nil {
		return skipped("the server does not report its version to this user")
	}
	return versionSkew(e.server.Version, k8s.LibraryVersion())
}

// oldestMinor is the oldest minor version of Kubernetes 1 with stable versions of all APIs that norn uses. The newest
// of these APIs is server-side apply (kubernetes.io: Server-Side Apply, stable since 1.22).
const oldestMinor = 22

// versionSkew compares the server's version with the version of norn's client library. v0.MINOR.PATCH of the library
// is for Kubernetes 1.MINOR. Kubernetes tests clients and servers up to one minor version apart (kubernetes.io:
// Version Skew Policy).
func versionSkew(server, library string) Verdict {
	s, err := utilversion.ParseGeneric(server)
	if err != nil || s.Major() != 1 {
		return warning("", "unknown server version %q, expected Kubernetes 1", server)
	}
	if s.Minor() < oldestMinor {
		return problem("upgrade the cluster", "Kubernetes %s is too old: norn needs 1.%d or newer (server-side apply)",
			server, oldestMinor)
	}
	l, err := utilversion.ParseGeneric(library)
	if err != nil {
		return ok("Kubernetes %s", server)
	}
	apart := int(s.Minor()) - int(l.Minor())
	if apart < -1 || apart > 1 {
		direction := "newer"
		if apart < 0 {
			direction, apart = "older", -apart
		}
		return warning("prefer a norn that is built for the cluster's version; this one uses only stable APIs",
			"Kubernetes %s is %d minor versions %s than norn supports (1.%d to 1.%d)",
			server, apart, direction, l.Minor()-1, l.Minor()+1)
	}
	return ok("Kubernetes %s; norn supports 1.%d to 1.%d", server, l.Minor()-1, l.Minor()+1)
}

func (e *examination) clock(context.Context) Verdict {
	if e.server == nil || e.server.Date.IsZero() {
		return skipped("the server does not report its time")
	}
	return clockSkew(e.server.Ahead, e.server.Unsure)
}

// The limits for the difference between the two clocks. Logins usually allow five minutes (RFC 4120, 1.6; AWS
// signatures). Smaller differences mostly make norn's output wrong.
const (
	shownSkew = 10 * time.Second
	fatalSkew = 5 * time.Minute
)

// clockSkew returns the verdict for a server's clock that is ahead of this machine's by ahead, plus or minus unsure.
func clockSkew(ahead, unsure time.Duration) Verdict {
	apart, direction := ahead, "behind" // this machine's
	if ahead < 0 {
		apart, direction = -ahead, "ahead of"
	}
	const hint = "set this machine's clock, or the server's (NTP: timedatectl set-ntp true)"
	switch {
	case apart-unsure > fatalSkew:
		return problem(hint, "this machine's clock is %s %s the API server's: "+
			"either side may reject tokens and certificates as expired or not yet valid", apart.Round(time.Second), direction)
	case apart-unsure > shownSkew:
		return warning(hint, "this machine's clock is %s %s the API server's: "+
			"ages in norn's output are wrong by that much, and new certificates may be rejected",
			apart.Round(time.Second), direction)
	}
	return ok("this machine's clock agrees with the API server's to within %s",
		(apart+unsure).Truncate(time.Second)+time.Second)
}

func (e *examination) credentials(ctx context.Context) Verdict {
	user, err := e.client.WhoAmI(ctx)
	end := expiry(connect.CredentialOf(e.client.Config()), time.Now())
	switch {
	case k8s.IsNotFound(err):
		end.Detail = "the server does not report the user (Kubernetes does since 1.28)" + end.Detail
	case err != nil:
		return problem(pipeline.HintOf(err), "%s", err)
	default:
		end.Detail = describeUser(user) + end.Detail
	}
	return end
}

// describeUser names the user and the groups, except the group of all users.
func describeUser(u k8s.User) string {
	var groups []string
	for _, g := range u.Groups {
		if g != "system:authenticated" {
			groups = append(groups, g)
		}
	}
	if u.Name == "system:anonymous" {
		return "not authenticated: the user is system:anonymous"
	}
	text := "the user is " + u.Name
	if len(groups) > 0 {
		text += " (groups: " + strings.Join(groups, ", ") + ")"
	}
	return text
}

// soon is how long before a client certificate expires doctor begins to warn.
const soon = 7 * 24 * time.Hour

// expiry returns a verdict on when a credential expires, worded as the end of a sentence.
func expiry(c connect.Credential, now time.Time) Verdict {
	if c.End.IsZero() {
		return Verdict{State: OK}
	}
	text := fmt.Sprintf("; the %s is valid until %s", c.Kind, c.End.UTC().Format("2006-01-02 15:04 MST"))
	if c.Kind == "client certificate" && c.End.Sub(now) < soon {
		return Verdict{State: Warning, Detail: text,
			Hint: "renew it: log in again, or have the cluster's admin sign a new one"}
	}
	return Verdict{State: OK, Detail: text}
}

func (e *examination) namespace(ctx context.Context) Verdict {
	name := e.Config.Namespace
	ns, err := e.client.GetNamespace(ctx, name)
	var missing *k8s.NamespaceError
	switch {
	case errors.As(err, &missing):
		missing.Key = e.namespaceKey()
		return problem(missing.Hint(), "%s", missing)
	case is[*k8s.DeniedError](err):
		return skipped("the user cannot read namespace %s (get on namespaces; norn does not need it)", name)
	case err != nil:
		return problem(pipeline.HintOf(err), "%s", err)
	case ns.Status.Phase == corev1.NamespaceTerminating:
		missing = &k8s.NamespaceError{Name: name, Terminating: true, Key: e.namespaceKey()}
		return problem(missing.Hint(), "%s", missing)
	}
	return ok("%s exists", name)
}

// namespaceKey returns the infraspec's key that sets the namespace, or "" if the environment does not set it.
func (e *examination) namespaceKey() string {
	if e.spec == nil || e.spec.Environment == "" {
		return ""
	}
	if chosen, err := e.spec.Chosen(e.spec.Environment); err != nil || chosen.Namespace != e.Config.Namespace {
		return ""
	}
	return infraspec.NamespaceKey(e.spec.Environment)
}
