package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	utilversion "k8s.io/apimachinery/pkg/util/version"

	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
)

// cluster makes the connection that the others use.
func (e *examination) cluster(ctx context.Context) Verdict {
	client, err := e.Connect(ctx)
	if err != nil {
		e.settle(nil, nil)
		return problem(hintOf(err), "%s", err)
	}
	server, err := client.Server(ctx)
	e.settle(client, server)
	if err != nil { // it has answered, if only with a refusal
		return ok("context %s is reached", client.Context)
	}
	return ok("context %s is reached at %s in %.1f ms", client.Context, server.Address, float64(server.RoundTrip)/float64(time.Millisecond))
}

// settle lets the checks begin that wait for the cluster. What comes later counts no more: a login command can hang, and does not heed a context.
func (e *examination) settle(client *k8s.Client, server *k8s.Server) {
	e.settled.Do(func() {
		e.client, e.server = client, server
		close(e.connected)
	})
}

// clusterWait leaves Connect the time to say in its own words what took too long.
func (e *examination) clusterWait() time.Duration {
	if e.Wait > 0 {
		return e.Wait + time.Second
	}
	return usualWait + time.Second
}

// hintOf is the first advice in err's chain.
func hintOf(err error) string {
	var hint interface{ Hint() string }
	if errors.As(err, &hint) {
		return hint.Hint()
	}
	return ""
}

// is reports whether an error of type E is in err's chain.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func (e *examination) version(context.Context) Verdict {
	if e.server == nil {
		return skipped("the server does not tell its version to this user")
	}
	return skew(e.server.Version, k8s.LibraryVersion())
}

// oldestMinor is the oldest minor version of Kubernetes 1 that has all of the APIs that norn uses in their final form; server-side apply was the
// last (kubernetes.io: Server-Side Apply, stable since 1.22).
const oldestMinor = 22

// skew compares the server's version with that of Kubernetes that norn's client library is made for, v0.MINOR.PATCH. Both sides are tested with
// one minor version between them (kubernetes.io: Version Skew Policy).
func skew(server, library string) Verdict {
	s, err := utilversion.ParseGeneric(server)
	if err != nil || s.Major() != 1 {
		return warning("", "the server calls itself %q, which is no version of Kubernetes 1", server)
	}
	if s.Minor() < oldestMinor {
		return problem("upgrade the cluster", "Kubernetes %s is too old: norn needs 1.%d (server-side apply)", server, oldestMinor)
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
		return warning("norn uses stable APIs only, which change rarely; a norn built for the cluster's version is surer",
			"Kubernetes %s is %d minor versions %s than what norn is made for, 1.%d to 1.%d", server, apart, direction, l.Minor()-1, l.Minor()+1)
	}
	return ok("Kubernetes %s; norn is made for 1.%d to 1.%d", server, l.Minor()-1, l.Minor()+1)
}

func (e *examination) clock(context.Context) Verdict {
	if e.server == nil || e.server.Date.IsZero() {
		return skipped("the server does not tell its time")
	}
	return drift(e.server.Ahead, e.server.Unsure)
}

// How far two clocks may be apart. Five minutes are what logins usually allow for (RFC 4120, 1.6; AWS' signatures); before, it is mostly what is
// shown that is wrong.
const (
	shownSkew = 10 * time.Second
	fatalSkew = 5 * time.Minute
)

// drift judges how far the server's clock is ahead of this machine's.
func drift(ahead, unsure time.Duration) Verdict {
	apart, direction := ahead, "behind" // this machine's
	if ahead < 0 {
		apart, direction = -ahead, "ahead of"
	}
	const hint = "set this machine's clock, or the server's (NTP: timedatectl set-ntp true)"
	switch {
	case apart-unsure > fatalSkew:
		return problem(hint, "this machine's clock is %s %s the API server's: tokens and certificates that are made here, or there, can be refused as expired or not yet valid", apart.Round(time.Second), direction)
	case apart-unsure > shownSkew:
		return warning(hint, "this machine's clock is %s %s the API server's: the ages that norn shows, of locks too, are wrong by that much, and fresh certificates can be refused", apart.Round(time.Second), direction)
	}
	return ok("this machine's agrees with the API server's to within %s", (apart+unsure).Truncate(time.Second)+time.Second)
}

func (e *examination) credentials(ctx context.Context) Verdict {
	user, err := e.client.WhoAmI(ctx)
	end := expiry(connect.CredentialOf(e.client.Config()), time.Now())
	switch {
	case k8s.IsNotFound(err):
		end.Detail = "the server does not tell who one is (it does from 1.28 on)" + end.Detail
	case err != nil:
		return problem(hintOf(err), "%s", err)
	default:
		end.Detail = describeUser(user) + end.Detail
	}
	return end
}

// describeUser is the user with the groups that say something.
func describeUser(u k8s.User) string {
	var groups []string
	for _, g := range u.Groups {
		if g != "system:authenticated" {
			groups = append(groups, g)
		}
	}
	if u.Name == "system:anonymous" {
		return "the server knows nobody: the user is system:anonymous"
	}
	text := "the user is " + u.Name
	if len(groups) > 0 {
		text += ", of " + strings.Join(groups, ", ")
	}
	return text
}

// soon is how long before its end a client certificate is warned of.
const soon = 7 * 24 * time.Hour

// expiry says until when a credential is good, as the end of a sentence.
func expiry(c connect.Credential, now time.Time) Verdict {
	if c.End.IsZero() {
		return Verdict{State: OK}
	}
	text := fmt.Sprintf("; the %s is valid until %s", c.Kind, c.End.UTC().Format("2006-01-02 15:04 MST"))
	if c.Kind == "client certificate" && c.End.Sub(now) < soon {
		return Verdict{State: Warning, Detail: text, Hint: "renew it: log in again, or have the cluster's admin sign a new one"}
	}
	return Verdict{State: OK, Detail: text}
}

func (e *examination) namespace(ctx context.Context) Verdict {
	name := e.Config.Namespace
	ns, err := e.client.GetNamespace(ctx, name)
	var missing *k8s.NamespaceError
	switch {
	case errors.As(err, &missing):
		return problem(missing.Hint(), "%s", missing)
	case is[*k8s.DeniedError](err):
		return skipped("whether %s is there may not be asked (get on namespaces, which norn does not need)", name)
	case err != nil:
		return problem(hintOf(err), "%s", err)
	case ns.Status.Phase == corev1.NamespaceTerminating:
		return problem("wait until it is gone and make it anew, or choose another with --namespace", "namespace %s is being deleted", name)
	}
	return ok("%s is there", name)
}
