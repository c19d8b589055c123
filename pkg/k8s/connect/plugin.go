package connect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// How long a credential plugin may take. Somebody at a terminal may have to log in; elsewhere nobody can.
const (
	pluginLimit      = 2 * time.Minute
	pluginLimitAlone = 30 * time.Second
	// pluginSilence is how long norn waits for a plugin before it says so.
	pluginSilence = 2 * time.Second
)

// PluginLimit returns the time limit for a credential plugin, with or without somebody at a terminal.
func PluginLimit(interactive bool) time.Duration {
	if interactive {
		return pluginLimit
	}
	return pluginLimitAlone
}

// pluginGuard limits the runs of a credential plugin. client-go runs the plugin in the middle of a request. It has no
// time limit for the plugin, and ignores the request's context meanwhile.
type pluginGuard struct {
	name, user     string
	limit, silence time.Duration
	wait           func(text string)
	stop           func()

	mu   sync.Mutex
	said bool // wait was called for this run of the plugin
}

func newPluginGuard(plugin *clientcmdapi.ExecConfig, user string, by Caller) *pluginGuard {
	g := &pluginGuard{
		name: filepath.Base(plugin.Command), user: user, limit: PluginLimit(by.Interactive), silence: pluginSilence,
		wait: by.Wait, stop: EndPlugins,
	}
	if g.wait == nil {
		g.wait = func(string) {}
	}
	return g
}

type roundTripFunc func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// outside wraps the transport that runs the plugin.
func (g *pluginGuard) outside(next http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) { return g.roundTrip(next, req) })
}

// inside wraps the transport that sends the request once the plugin has ended.
func (*pluginGuard) inside(next http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		if r, ok := req.Context().Value(guardedKey{}).(*guardedRequest); ok {
			r.sending <- true
			defer func() { r.sending <- false }()
		}
		return next.RoundTrip(req)
	})
}

type guardedKey struct{}

// guardedRequest is a request that may run the plugin, before it is sent and after the answer 401 Unauthorized.
type guardedRequest struct {
	sending chan bool     // true when the request is sent, and false when its answer arrives
	done    chan struct{} // closed when resp and err are set
	resp    *http.Response
	err     error
}

func (g *pluginGuard) roundTrip(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	r := &guardedRequest{sending: make(chan bool, 2), done: make(chan struct{})} // inside never blocks
	go func() {
		defer close(r.done)
		guarded := req.WithContext(context.WithValue(ctx, guardedKey{}, r))
		r.resp, r.err = next.RoundTrip(guarded) //nolint:bodyclose // returned
	}()
	notice, limit, ended := time.NewTimer(g.silence), time.NewTimer(g.limit), ctx.Done()
	defer notice.Stop()
	defer limit.Stop()
	for {
		select {
		case <-r.done:
			return r.resp, r.err
		case sending := <-r.sending:
			if sending { // the transport itself observes ctx
				notice.Stop()
				limit.Stop()
				ended = nil
				g.report(false)
			} else {
				notice.Reset(g.silence)
				limit.Reset(g.limit)
				ended = ctx.Done()
			}
		case <-notice.C:
			g.report(true)
		case <-limit.C:
			g.stop()
			go r.discard()
			return nil, g.late()
		case <-ended:
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) { // other requests may wait for the same plugin
				g.stop()
			}
			go r.discard()
			return nil, context.Cause(ctx)
		}
	}
}

// discard closes the answer to a request whose caller has given up.
func (r *guardedRequest) discard() {
	if <-r.done; r.resp != nil {
		_ = r.resp.Body.Close()
	}
}

// report says once that the plugin is running, until a request reports that it is not.
func (g *pluginGuard) report(running bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if running && !g.said {
		g.wait("waiting for credential plugin " + g.name)
	}
	g.said = running
}

func (g *pluginGuard) late() error {
	return &UnavailableError{
		Reason: fmt.Sprintf("credential plugin %s of user %q did not finish within %s", g.name, g.user, g.limit),
		Advice: "log in, or run the plugin by hand to see what it waits for",
	}
}
