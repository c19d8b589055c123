package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"norn/internal/command"
	"norn/pkg/forge/tunnel"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/secrets"
)

// secrets opens the app's file, or without one looks for keys.
func (e *examination) secrets(ctx context.Context) Verdict {
	if e.spec == nil {
		return keys()
	}
	path := filepath.Join(e.folder(), secrets.FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && len(e.spec.Secrets) == 0 {
		return skipped("%s has no secrets", e.spec.App)
	}
	file, err := secrets.Open(ctx, path)
	if err == nil {
		defer file.Close()
		file.Each(func(name string, v secrets.Value) { e.Hide(name, v.Reveal()) })
		_, err = file.Pick(e.spec.Secrets)
	}
	if err != nil {
		v := problem(hintOf(err), "%s", err)
		if file, ok := errors.AsType[*secrets.FileError](err); ok && len(file.Searched) > 0 {
			v.More = append([]string{"keys were looked for in"}, file.Searched...)
		}
		return v
	}
	if len(e.spec.Secrets) == 0 {
		return ok("%s can be decrypted; the infraspec declares none of its names", secrets.FileName)
	}
	return ok("%s can be decrypted, and has all that the infraspec declares: %s", secrets.FileName, strings.Join(e.spec.Secrets, ", "))
}

// keys looks for keys where there is no file to try them on.
func keys() Verdict {
	found, usual := secrets.AgeKeys()
	if len(found) == 0 {
		return skipped("no age key is here, which only apps with secrets need: norn secrets init makes one in %s", usual)
	}
	return ok("an age key would be taken from %s", strings.Join(found, ", "))
}

// tunnel looks at the rule of an app with a public host.
func (e *examination) tunnel(ctx context.Context) Verdict {
	if !tunnel.Routed(e.spec) {
		return skipped("%s has no public host: that takes a webserver with hosts.external and hosts.internal", e.spec.App)
	}
	where := fmt.Sprintf("ConfigMap %s in namespace %s", tunnel.ConfigMap, tunnel.Namespace)
	live, err := e.client.GetConfigMap(ctx, tunnel.Namespace, tunnel.ConfigMap)
	switch {
	case k8s.IsNotFound(err):
		return warning("docs/forge.md tells how the tunnel is found; without it, route the host yourself", "there is no %s, so that forge leaves the route to %s out", where, e.spec.Hosts.External)
	case is[*k8s.DeniedError](err):
		return skipped("%s may not be read (see permissions)", where)
	case err != nil:
		return problem(hintOf(err), "%s", err)
	}
	state, err := tunnel.ReadState(live, e.spec, e.Config.Namespace)
	if err != nil {
		return problem("mend "+where, "%s", err)
	}
	return judgeTunnel(state, where, e.spec.App, command.Installed("cloudflared"))
}

func judgeTunnel(s tunnel.State, where, app string, installed bool) Verdict {
	host := s.Wanted.Host
	switch {
	case s.Leads != "" && s.Leads != s.Wanted.Service:
		return problem("take that rule out of "+where+", or norn forge --adopt "+app+" where it is nobody's", "%s leads to %s, and not to %s", host, s.Leads, s.Wanted.Service)
	case s.Shadow != "":
		return problem("move it below in "+where, "the rule for %s stands ahead and takes what is meant for %s", s.Shadow, host)
	case s.Leads == "":
		return warning("norn forge "+app+" makes it", "there is no rule for %s yet", host)
	case s.Unfinished:
		return warning("norn forge "+app+" finishes it", "%s leads to %s, and cloudflared has not been restarted with that yet", host, s.Leads)
	case !installed:
		return warning("install cloudflared, or see to it that the host's DNS record leads to the tunnel", "%s leads to %s; the cloudflared command, which makes DNS records, is not installed", host, s.Leads)
	}
	return ok("%s leads to %s", host, s.Leads)
}

// lock says who works on the app.
func (e *examination) lock(ctx context.Context) Verdict {
	state, err := lease.Read(ctx, e.client, e.Config.Namespace, e.spec.App, e.Dead)
	if is[*k8s.DeniedError](err) {
		return skipped("the lock may not be read (see permissions)")
	}
	if err != nil {
		return problem(hintOf(err), "%s", err)
	}
	now := time.Now()
	if e.server != nil && !e.server.Date.IsZero() { // holders are on many machines: the server's clock is the likeliest to be like theirs
		now = now.Add(e.server.Ahead)
	}
	return judgeLock(state, e.spec.App, now)
}

func judgeLock(s *lease.State, app string, now time.Time) Verdict {
	switch {
	case s == nil:
		return ok("nobody works on %s", app)
	case s.Dead:
		return warning("the next command on the app takes the lock over", "%s, who has died", s.Holder)
	case now.Sub(s.Renewed) > s.Valid:
		return warning(fmt.Sprintf("the next command on the app takes the lock over, after %s without a sign of life", s.Valid),
			"%s, not heard of for %s", s.Holder, now.Sub(s.Renewed).Round(time.Second))
	}
	return warning(s.Holder.Hint(), "%s", s.Holder)
}
