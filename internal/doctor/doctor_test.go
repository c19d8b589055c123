package doctor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"norn/internal/config"
	"norn/internal/registry"
	"norn/pkg/forge"
	"norn/pkg/forge/tunnel"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
	"norn/pkg/k8s/lease"
)

// judged checks a verdict's state, and that its text contains words.
func judged(t *testing.T, name string, got Verdict, state State, words string) {
	t.Helper()
	text := strings.Join(append(append([]string{got.Detail}, got.More...), got.Hint), "\n")
	if got.State != state || !strings.Contains(text, words) {
		t.Errorf("%s: %s, want %s with %q in:\n%s", name, got.State, state, words, text)
	}
	if (got.State == Problem) && got.Hint == "" {
		t.Errorf("%s: a problem without a hint:\n%s", name, text)
	}
}

func TestVersionSkew(t *testing.T) {
	for _, c := range []struct {
		server, library string
		state           State
		words           string
	}{
		{"v1.37.2", "v0.37.2", OK, "norn supports 1.36 to 1.38"},
		{"v1.36.0", "v0.37.2", OK, "v1.36.0"},
		{"v1.38.0-rc.1", "v0.37.2", OK, "v1.38.0"},
		{"v1.35.9+k3s1", "v0.37.2", Warning, "2 minor versions older than norn supports (1.36 to 1.38)"},
		{"v1.39.0-gke.100", "v0.37.2", Warning, "2 minor versions newer"},
		{"v1.22.0", "v0.37.2", Warning, "15 minor versions older"},
		{"v1.21.14", "v0.37.2", Problem, "norn needs 1.22"},
		{"v1.37.2", "", OK, "v1.37.2"},
		{"v2.0.0", "v0.37.2", Warning, "unknown server version"},
		{"", "v0.37.2", Warning, `""`},
	} {
		judged(t, c.server, versionSkew(c.server, c.library), c.state, c.words)
	}
}

func TestClockSkew(t *testing.T) {
	const unsure = 510 * time.Millisecond
	for _, c := range []struct {
		ahead time.Duration
		state State
		words string
	}{
		{0, OK, "to within 1s"},
		{-900 * time.Millisecond, OK, "to within 2s"},
		{10 * time.Second, OK, "to within 11s"}, // it may be less
		{11 * time.Second, Warning, "11s behind"},
		{-time.Minute, Warning, "1m0s ahead of"},
		{5 * time.Minute, Warning, "5m0s behind"},
		{6 * time.Minute, Problem, "6m0s behind"},
		{-time.Hour, Problem, "reject tokens and certificates as expired or not yet valid"},
	} {
		judged(t, c.ahead.String(), clockSkew(c.ahead, unsure), c.state, c.words)
	}
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		cred  connect.Credential
		state State
		words string
	}{
		{"unknown", connect.Credential{Kind: "token"}, OK, ""},
		{"certificate", connect.Credential{Kind: "client certificate", End: now.AddDate(1, 0, 0)}, OK,
			"the client certificate is valid until 2027-03-01 12:00 UTC"},
		{"certificate that ends soon", connect.Credential{Kind: "client certificate", End: now.AddDate(0, 0, 6)}, Warning,
			"renew it"},
		{"token", connect.Credential{Kind: "token", End: now.Add(time.Hour)}, OK,
			"the token is valid until 2026-03-01 13:00 UTC"}, // tokens are short-lived, so doctor does not warn
	} {
		judged(t, c.name, expiry(c.cred, now), c.state, c.words)
	}
}

func TestAccess(t *testing.T) {
	commands := []forge.CommandGrants{
		{Name: "forge", Grants: []forge.Grant{
			{Group: "apps", Resource: "deployments", Verbs: []string{"get", "create"}},
		}},
		{Name: "logs", Grants: []forge.Grant{
			{Resource: "pods", Verbs: []string{"list"}},
			{Resource: "secrets", Verbs: []string{"get"}, Without: "values are shown"},
		}},
		{Name: "run", Grants: []forge.Grant{{Resource: "pods", Verbs: []string{"list"}}}},
	}
	create := k8s.Permission{Namespace: "ns", Group: "apps", Resource: "deployments", Verb: "create"}
	list := k8s.Permission{Namespace: "ns", Resource: "pods", Verb: "list"}
	secret := k8s.Permission{Namespace: "ns", Resource: "secrets", Verb: "get"}
	tunnel := k8s.Permission{Namespace: tunnel.Namespace, Resource: "configmaps", Verb: "update"}
	judged(t, "nothing", judgeAccess(commands, "ns", 4, nil), OK,
		"all 4 permissions that norn uses in namespace ns are granted")
	judged(t, "all", judgeAccess(commands, "ns", 2, []k8s.Permission{create, list}), Problem, "none of the 2 permissions")
	judged(t, "all", judgeAccess(commands, "ns", 2, []k8s.Permission{create, list}), Problem, "check the namespace's name")
	judged(t, "one verb", judgeAccess(commands, "ns", 4, []k8s.Permission{create}), Problem,
		"forge: missing create on deployments.apps")
	judged(t, "for two commands", judgeAccess(commands, "ns", 4, []k8s.Permission{list}), Problem,
		"logs, run: missing list on pods")
	judged(t, "not required", judgeAccess(commands, "ns", 4, []k8s.Permission{secret}), Warning,
		"logs: without get on secrets, values are shown")
	judged(t, "the tunnel", judgeAccess(commands, "ns", 4, []k8s.Permission{tunnel}), Problem,
		"public host: missing update on configmaps in namespace cloudflared")
}

// The verdict names every missing permission.
func TestAccessReportsEveryVerb(t *testing.T) {
	commands := forge.AllGrants()
	var asked []k8s.Permission
	for _, c := range commands {
		asked = append(asked, forge.Permissions("ns", c.Grants)...)
	}
	asked = unique(asked)
	for _, p := range asked {
		v := judgeAccess(commands, "ns", len(asked), []k8s.Permission{p})
		if v.State == OK || !strings.Contains(strings.Join(v.More, "\n"), p.Verb+" on "+p.Resource) {
			t.Errorf("without %s the verdict is %+v", p, v)
		}
	}
}

func TestTunnel(t *testing.T) {
	wanted := tunnel.Rule{Host: "shop.example.com", Service: "http://shop.default.svc.cluster.local:80"}
	for _, c := range []struct {
		name      string
		state     tunnel.State
		installed bool
		want      State
		words     string
	}{
		{"routed", tunnel.State{Wanted: wanted, Leads: wanted.Service}, true, OK,
			"shop.example.com leads to http://shop.default"},
		{"no rule yet", tunnel.State{Wanted: wanted}, true, Warning, "create it with norn forge shop"},
		{"elsewhere", tunnel.State{Wanted: wanted, Leads: "http://other:80"}, true, Problem,
			"leads to http://other:80 instead of"},
		{"shadowed", tunnel.State{Wanted: wanted, Leads: wanted.Service, Shadow: "*.example.com"}, true, Problem,
			"the rule for *.example.com comes first"},
		{"unfinished", tunnel.State{Wanted: wanted, Leads: wanted.Service, Unfinished: true}, true, Warning,
			"finish it with norn forge shop"},
		{"no command", tunnel.State{Wanted: wanted, Leads: wanted.Service}, false, Warning, "install cloudflared"},
	} {
		judged(t, c.name, judgeTunnel(c.state, "ConfigMap cloudflared", "shop", c.installed), c.want, c.words)
	}
}

func TestLock(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	held := func(age time.Duration, dead bool) *lease.State {
		return &lease.State{
			Holder: &lease.HeldError{App: "shop", User: "me", Host: "laptop", Command: "norn deploy",
				Since: now.Add(-time.Hour)},
			Renewed: now.Add(-age), Valid: 40 * time.Second, Dead: dead,
		}
	}
	judged(t, "free", judgeLock(nil, "shop", now), OK, "shop is not locked")
	judged(t, "held", judgeLock(held(3*time.Second, false), "shop", now), Warning,
		"shop is locked by me@laptop (norn deploy, since 11:00:00 UTC)")
	judged(t, "held", judgeLock(held(3*time.Second, false), "shop", now), Warning, "--lock-timeout")
	judged(t, "expired", judgeLock(held(time.Minute, false), "shop", now), Warning, "not renewed for 1m0s")
	judged(t, "expired", judgeLock(held(time.Minute, false), "shop", now), Warning, "takes over the lock: locks expire")
	judged(t, "dead", judgeLock(held(time.Second, true), "shop", now), Warning, "that process has ended")
}

func TestRegistry(t *testing.T) {
	q := registry.Question{Registry: "registry.example.com/team", Repository: "shop",
		Login: &registry.Login{User: "me", From: "/home/me/.docker/config.json"}}
	for _, c := range []struct {
		name   string
		answer registry.Answer
		err    error
		state  State
		words  string
	}{
		{"open", registry.Open, nil, OK, "requires no login"},
		{"taken", registry.Accepted, nil, OK, "accepts the login of me in /home/me/.docker/config.json"},
		{"wanted", registry.LoginRequired, nil, Problem, "buildah login registry.example.com"},
		{"refused", registry.Refused, nil, Problem, "rejected the login of me"},
		{"no push", registry.NoPush, nil, Problem, "does not allow it to push to registry.example.com/team/shop"},
		{"unreachable", 0, &registry.Error{Text: "no way"}, Problem, "NORN_REGISTRY_URL"},
		{"a certificate of its own", 0, &registry.Error{Text: "its certificate", Untrusted: true}, Warning, "certs.d"},
	} {
		judged(t, c.name, judgeRegistry(q, "buildah", c.answer, c.err), c.state, c.words)
	}
}

// Origins contain the source of each setting but never a password.
func TestOrigins(t *testing.T) {
	got := strings.Join(origins(&config.Config{Set: []config.Set{
		{Key: "registry_url", Value: "me:canary@registry.example.com", From: "NORN_REGISTRY_URL"},
		{Key: "git_token", From: "NORN_GIT_TOKEN"},
	}}), "\n")
	if want := "registry_url …@registry.example.com, from NORN_REGISTRY_URL\ngit_token, from NORN_GIT_TOKEN"; got != want {
		t.Errorf("got %q", got)
	}
	e := &examination{Subject: Subject{Config: &config.Config{Registry: "https://me:canary@registry.example.com"}}}
	if v := e.registry(t.Context()); v.State != Problem || strings.Contains(v.Detail+v.Hint, "canary") {
		t.Errorf("the verdict contains the password: %v", v)
	}
}

// A check that ignores its context times out. A problem after the time limit also counts as a timeout, but a result in
// time counts.
func TestWithin(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	stuck := make(chan struct{})
	defer close(stuck)
	judged(t, "stuck", within(over, time.Second, func(context.Context) Verdict { <-stuck; return ok("") }), Problem,
		"no answer within 1s")
	judged(t, "in time", within(t.Context(), time.Second,
		func(context.Context) Verdict { return problem("fix it", "broken") }), Problem, "broken")
}

// examined runs Examine on a subject without an app.
func examined(t *testing.T, ctx context.Context, s Subject) ([]Result, error) {
	t.Helper()
	s.Config, s.Here = &config.Config{AppsDir: t.TempDir(), Namespace: "default"}, t.TempDir()
	s.Hide, s.Dead = func(string, string) {}, func(string) bool { return false }
	return Examine(ctx, s, func(Result) {})
}

// Without a cluster, the cluster check is a problem, checks that need the cluster are skipped, and all others run.
func TestWithoutCluster(t *testing.T) {
	results, err := examined(t, t.Context(), Subject{Connect: func(context.Context) (*k8s.Client, error) {
		return nil, &connect.UnavailableError{Reason: "no kubeconfig", Advice: "name one"}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var names, skipped []string
	for _, r := range results {
		names = append(names, r.Name)
		if r.NoCluster {
			skipped = append(skipped, r.Name)
		}
	}
	if got, want := strings.Join(names, " "),
		"settings cluster version clock credentials namespace permissions secrets builder registry git"; got != want {
		t.Errorf("checks %q, want %q", got, want)
	}
	if got, want := strings.Join(skipped, " "), "version clock credentials namespace permissions"; got != want {
		t.Errorf("skipped %q, want %q", got, want)
	}
	judged(t, "cluster", results[1].Verdict, Problem, "no kubeconfig")
}

// If a login command hangs, the cluster check times out, and the checks that need the cluster are skipped.
func TestHangingLogin(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	results, err := examined(t, t.Context(),
		Subject{Wait: time.Millisecond, Connect: func(context.Context) (*k8s.Client, error) {
			<-stuck
			return nil, errors.New("too late")
		}})
	if err != nil {
		t.Fatal(err)
	}
	judged(t, "cluster", results[1].Verdict, Problem, "no answer within")
	judged(t, "version", results[2].Verdict, Skipped, "it needs the cluster")
}

// An interrupt ends Examine at once, even if a check hangs.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	stuck := make(chan struct{})
	defer close(stuck)
	_, err := examined(t, ctx, Subject{Wait: time.Hour, Connect: func(context.Context) (*k8s.Client, error) {
		cancel(stop)
		<-stuck
		return nil, errors.New("too late")
	}})
	if !errors.Is(err, stop) {
		t.Errorf("error %v, want the interrupt", err)
	}
}
