// Package connect finds the API server from flags, environment and kubeconfig, and explains why it cannot be used.
package connect

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"norn/pkg/k8s"
)

// connectTimeout bounds how long norn waits for a server's first answer.
const connectTimeout = 5 * time.Second

// FlagError reports a flag with an invalid value.
type FlagError struct{ Flag, Value, Advice string }

// Error names the flag and its value.
func (e *FlagError) Error() string { return fmt.Sprintf("invalid %s %q", e.Flag, e.Value) }

// Hint returns what the flag accepts.
func (e *FlagError) Hint() string { return e.Advice }

// Caller describes the program that connects.
type Caller struct {
	UserAgent string
	// Keys names the environment variables that credential plugins must not see.
	Keys []string
	// Interactive is whether somebody can log in: a credential plugin then has more time.
	Interactive bool
	// Wait, if not nil, is called with what a connection waits for if that takes long.
	Wait func(text string)
	// Warn, if not nil, is called with each warning of the API server, once for each text.
	Warn func(text string)
}

// Dial returns a client for the API server that flags, environment and kubeconfig select, once the server has
// answered. If no server is usable, the error is an *UnavailableError. Dial waits at most 5 seconds for the server, or
// --request-timeout if set. A credential plugin has its own limit; see PluginLimit.
func Dial(ctx context.Context, flags *genericclioptions.ConfigFlags, by Caller) (*k8s.Client, error) {
	// client-go logs the errors that it returns; norn reports them once.
	klog.SetLogger(logr.Discard())

	if _, err := RequestTimeout(flags); err != nil {
		return nil, err
	}
	t, err := resolve(flags, by)
	if err != nil {
		return nil, err
	}
	if err := checkAddress(t); err != nil {
		return nil, err
	}
	wait := connectTimeout
	if t.conf.Timeout > 0 {
		wait = t.conf.Timeout
	}
	tune(t.conf, by.UserAgent, wait)
	if by.Warn != nil {
		t.conf.WarningHandlerWithContext = &warnings{warn: by.Warn}
	}
	client, err := connected(t, by)
	if err != nil {
		return nil, err
	}
	client.ContextNamespace, client.NoCredentials = t.namespace, t.missingCredentials()
	if err := client.Ping(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := diagnose(err, t, wait); err != nil {
			return nil, err
		}
	}
	return client, nil
}

// RequestTimeout returns the value of --request-timeout, or 0 if it is not set. An invalid value is a *FlagError.
func RequestTimeout(flags *genericclioptions.ConfigFlags) (time.Duration, error) {
	text := value(flags.Timeout)
	if text == "" {
		return 0, nil
	}
	timeout, err := clientcmd.ParseTimeout(text)
	if err != nil {
		return 0, &FlagError{"--request-timeout", text, "give a number of seconds, or a duration such as 30s"}
	}
	return timeout, nil
}

// tune sets the options of every connection.
func tune(conf *rest.Config, userAgent string, wait time.Duration) {
	conf.UserAgent = userAgent
	conf.QPS = -1 // the server limits requests itself; a second queue would only slow norn down
	conf.WarningHandlerWithContext = rest.NoWarnings{}
	conf.ContentType = "application/vnd.kubernetes.protobuf"
	conf.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	conf.Dial = (&net.Dialer{Timeout: wait, KeepAlive: 30 * time.Second}).DialContext
	conf.Timeout = 0 // it would cut off watches and log streams; bounded limits the silence instead
	conf.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &retryTransport{
			next:    &whole{next: &bounded{next: next, first: wait, wait: max(wait, answerWait)}},
			timeout: retryFor,
		}
	})
}

// connected returns a client for t that limits a credential plugin.
func connected(t *target, by Caller) (*k8s.Client, error) {
	var wrap []func(http.RoundTripper) http.RoundTripper
	if t.conf.ExecProvider != nil {
		guard := newPluginGuard(t.conf.ExecProvider, t.user, by)
		t.conf.Wrap(guard.inside)
		wrap = append(wrap, guard.outside)
	}
	client, err := k8s.New(t.conf, t.context, wrap...)
	if err != nil {
		return nil, &UnavailableError{
			Reason: fmt.Sprintf("context %q cannot be used: %s", t.context, oneLine(err)),
			Advice: "fix that entry of the kubeconfig, or choose another context with --context",
			Err:    err,
		}
	}
	return client, nil
}
