package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"norn/internal/command"
	"norn/pkg/forge/tunnel"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// secrets decrypts the app's secrets files. Without an app, it only looks for keys.
func (e *examination) secrets(ctx context.Context) Verdict {
	if e.spec == nil {
		return keys()
	}
	declared := e.spec.Secrets
	if e.spec.Environment == "" && len(e.spec.Environments) > 0 {
		return skipped("the values depend on the environment; choose one with --env")
	}
	files, err := secrets.OpenLayersLocally(ctx, secrets.Place{Dir: e.folder(), Environment: e.spec.Environment})
	if len(declared) == 0 && errors.Is(err, fs.ErrNotExist) {
		if len(e.spec.References()) > 0 {
			return skipped("%s has only secrets from other Secrets (see admission)", e.spec.App)
		}
		return skipped("%s has no secrets", e.spec.App)
	}
	names := ""
	if err == nil {
		defer files.Close()
		names = strings.Join(files.Names(), " and ")
		files.Each(func(name string, v secrets.Value) { e.Hide(name, v.Reveal()) })
		_, err = files.Pick(declared)
	}
	if file, ok := errors.AsType[*secrets.FileError](err); ok && file.Unasked {
		return skipped("%s: %s", filepath.Base(file.Path), file.Problem)
	}
	if err != nil {
		v := problem(pipeline.HintOf(err), "%s", err)
		if file, ok := errors.AsType[*secrets.FileError](err); ok && len(file.Searched) > 0 {
			v.More = append([]string{"norn looked for keys in"}, file.Searched...)
		}
		return v
	}
	has, its := "has", "its"
	if len(files.Names()) > 1 {
		has, its = "have", "their"
	}
	if len(declared) == 0 {
		return ok("%s can be decrypted, but the infraspec declares none of %s names", names, its)
	}
	return ok("%s can be decrypted and %s all declared secrets: %s", names, has, strings.Join(declared, ", "))
}

// keys looks for age keys, without a file to decrypt.
func keys() Verdict {
	found, usual := secrets.AgeKeys()
	if len(found) == 0 {
		return skipped("no age key found; only apps with secrets need one (norn secrets init creates one in %s)", usual)
	}
	return ok("age key found in %s", strings.Join(found, ", "))
}

// tunnel checks the tunnel's rule for an app with a public host.
func (e *examination) tunnel(ctx context.Context) Verdict {
	if !tunnel.Routed(e.spec) {
		return skipped("%s has no public host (only a webserver with hosts.external and hosts.internal has one)", e.spec.App)
	}
	where := fmt.Sprintf("ConfigMap %s in namespace %s", tunnel.ConfigMap, tunnel.Namespace)
	live, err := e.client.GetConfigMap(ctx, tunnel.Namespace, tunnel.ConfigMap)
	switch {
	case k8s.IsNotFound(err):
		return warning("see docs/forge.md for how norn finds the tunnel, or route the host yourself",
			"%s does not exist, so forge does not route %s", where, strings.Join(e.spec.Hosts.External, ", "))
	case is[*k8s.DeniedError](err):
		return skipped("the user cannot read %s (see permissions)", where)
	case err != nil:
		return problem(pipeline.HintOf(err), "%s", err)
	}
	states, err := tunnel.ReadStates(live, e.spec, e.Config.Namespace)
	if err != nil {
		return problem("fix "+where, "%s", err)
	}
	verdicts := make([]Verdict, 0, len(states))
	for _, s := range states {
		verdicts = append(verdicts, judgeTunnel(s, where, e.spec.App, command.Installed("cloudflared")))
	}
	return worst(verdicts)
}

// worst returns the first of the worst verdicts, with the others' details below it.
func worst(all []Verdict) Verdict {
	order := []State{OK, Skipped, Warning, Problem}
	at := 0
	for i, v := range all {
		if slices.Index(order, v.State) > slices.Index(order, all[at].State) {
			at = i
		}
	}
	v := all[at]
	for i, other := range all {
		if i != at {
			v.More = append(v.More, other.Detail)
		}
	}
	return v
}

func judgeTunnel(s tunnel.State, where, app string, installed bool) Verdict {
	host := s.Wanted.Host
	switch {
	case s.Leads != "" && s.Leads != s.Wanted.Service:
		return problem("remove that rule from "+where+", or take it over with norn forge --adopt "+app,
			"%s leads to %s instead of %s", host, s.Leads, s.Wanted.Service)
	case s.Shadow != "":
		return problem("move the rule for "+s.Shadow+" below the rule for "+host+" in "+where,
			"the rule for %s comes first and takes the requests for %s", s.Shadow, host)
	case s.Leads == "":
		return warning("create it with norn forge "+app, "there is no rule for %s yet", host)
	case s.Unfinished:
		return warning("finish it with norn forge "+app,
			"%s leads to %s, but cloudflared has not been restarted with this rule yet", host, s.Leads)
	case !installed:
		return warning("install cloudflared, or point the host's DNS record to the tunnel yourself",
			"%s leads to %s, but the cloudflared command, which creates DNS records, is not installed", host, s.Leads)
	}
	return ok("%s leads to %s", host, s.Leads)
}

// lock checks whether anybody holds the app's lock.
func (e *examination) lock(ctx context.Context) Verdict {
	state, err := lease.Read(ctx, e.client, e.Config.Namespace, e.spec.App, e.Dead)
	if is[*k8s.DeniedError](err) {
		return skipped("the user cannot read the lock (see permissions)")
	}
	if err != nil {
		return problem(pipeline.HintOf(err), "%s", err)
	}
	now := time.Now()
	if e.server != nil && !e.server.Date.IsZero() { // the server's clock is the best estimate of the holders' clocks
		now = now.Add(e.server.Ahead)
	}
	return judgeLock(state, e.spec.App, now)
}

func judgeLock(s *lease.State, app string, now time.Time) Verdict {
	switch {
	case s == nil:
		return ok("%s is not locked", app)
	case s.Dead:
		return warning("the next command on the app takes over the lock", "%s, but that process has ended", s.Holder)
	case now.Sub(s.Renewed) > s.Valid:
		return warning(fmt.Sprintf("the next command on the app takes over the lock: locks expire after %s", s.Valid),
			"%s, not renewed for %s", s.Holder, now.Sub(s.Renewed).Round(time.Second))
	}
	return warning(s.Holder.Hint(), "%s", s.Holder)
}
