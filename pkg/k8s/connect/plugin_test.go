package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"norn/pkg/k8s"
)

// version answers every request like an API server's /version.
func version(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"major": "1", "minor": "37", "gitVersion": "v1.37.2"})
}

// flagsFor returns the flags of a user whose kubeconfig has a server, and a user entry in YAML's flow style.
func flagsFor(t *testing.T, server, user string) *genericclioptions.ConfigFlags {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("KUBECONFIG", filepath.Join(dir, "config"))
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: here,
contexts: [{name: here, context: {cluster: c, user: u}}],
clusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}],
users: [{name: u, user: %s}]}`, server, user)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return genericclioptions.NewConfigFlags(false)
}

// plugin returns a user entry with a credential plugin that runs commands of sh first, then counts itself and returns a
// token.
func plugin(t *testing.T, first string) (user string, runs func() int) {
	t.Helper()
	dir := t.TempDir()
	path, count := filepath.Join(dir, "login.sh"), filepath.Join(dir, "runs")
	text := fmt.Sprintf("#!/bin/sh\n%s\necho run >>%s\necho '%s'\n", first, count,
		`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"good"}}`)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	user = fmt.Sprintf("{exec: {apiVersion: client.authentication.k8s.io/v1, command: %q, interactiveMode: Never}}", path)
	return user, func() int {
		text, _ := os.ReadFile(count)
		return strings.Count(string(text), "run")
	}
}

// A credential plugin may take longer than the server's first answer, and runs once for all of norn's clients.
func TestSlowPlugin(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(version))
	defer s.Close()
	user, runs := plugin(t, "sleep 3")
	flags := flagsFor(t, s.URL, user)
	*flags.Timeout = "1s"
	var said []string
	client, err := Dial(t.Context(), flags, Caller{Wait: func(text string) { said = append(said, text) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if s, err := client.StreamLogs(t.Context(), "default", "pod", nil); err == nil {
		_ = s.Close()
	}
	if len(said) != 1 || said[0] != "waiting for credential plugin login.sh" || runs() != 1 {
		t.Errorf("said %q, %d runs of the plugin", said, runs())
	}
}

// The time limit for the server begins when the plugin has ended.
func TestSilentServerAfterPlugin(t *testing.T) {
	stuck := make(chan struct{})
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stuck }))
	defer s.Close()
	defer close(stuck)
	user, _ := plugin(t, "")
	flags := flagsFor(t, s.URL, user)
	*flags.Timeout = "1s"
	_, err := Dial(t.Context(), flags, Caller{})
	if unavailable, ok := errors.AsType[*UnavailableError](err); !ok ||
		!strings.HasSuffix(unavailable.Reason, "did not answer within 1s") {
		t.Errorf("got %v", err)
	}
}

// A server that sends headers and no body is also too slow.
func TestHalfAnswer(t *testing.T) {
	stuck := make(chan struct{})
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.(http.Flusher).Flush()
		<-stuck
	}))
	defer s.Close()
	defer close(stuck)
	flags := flagsFor(t, s.URL, "{token: t}")
	*flags.Timeout = "1s"
	_, err := Dial(t.Context(), flags, Caller{})
	if err == nil || !strings.HasSuffix(err.Error(), "did not answer within 1s") {
		t.Errorf("got %v", err)
	}
}

// hanging returns a client whose credential plugin never ends, and the file with the plugin's process number.
func hanging(t *testing.T, limit time.Duration) (*k8s.Client, string) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(version))
	t.Cleanup(s.Close)
	pid := filepath.Join(t.TempDir(), "pid")
	// The plugin runs a program, whose process number is in the file.
	user, _ := plugin(t, fmt.Sprintf("sleep 600 &\necho $! >%s\nwait", pid))
	target, err := resolve(flagsFor(t, s.URL, user), Caller{})
	if err != nil {
		t.Fatal(err)
	}
	guard := newPluginGuard(target.conf.ExecProvider, target.user, Caller{})
	guard.limit = limit
	target.conf.Wrap(guard.inside)
	client, err := k8s.New(target.conf, target.context, guard.outside)
	if err != nil {
		t.Fatal(err)
	}
	return client, pid
}

// awaitEnd waits until the process whose number is in a file has ended.
func awaitEnd(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	stat := "/proc/" + strings.TrimSpace(string(text)) + "/stat"
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if text, err := os.ReadFile(stat); err != nil || strings.Contains(string(text), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the plugin still runs")
		}
	}
}

func TestHangingPlugin(t *testing.T) {
	client, pid := hanging(t, time.Second)
	err := client.Ping(t.Context())
	unavailable, ok := errors.AsType[*UnavailableError](err)
	if !ok || unavailable.Reason != `credential plugin login.sh of user "u" did not finish within 1s` {
		t.Errorf("got %v", err)
	}
	awaitEnd(t, pid)
}

// An interrupt ends the wait for a plugin, and the plugin.
func TestInterruptedPlugin(t *testing.T) {
	client, pid := hanging(t, time.Minute)
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		for {
			if text, _ := os.ReadFile(pid); len(text) > 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		interrupt()
	}()
	if err := client.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	awaitEnd(t, pid)
}

// A plugin that runs again because the server no longer accepts its token has the same limit.
func TestPluginLimitAfterUnauthorized(t *testing.T) {
	var refreshing atomic.Bool
	guard := newPluginGuard(&clientcmdapi.ExecConfig{Command: "/bin/login"}, "u", Caller{})
	guard.limit, guard.stop = 50*time.Millisecond, func() { refreshing.Store(false) }
	answer := guard.inside(roundTripFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusUnauthorized, Body: http.NoBody}, nil
	}))
	client := guard.outside(roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp, err := answer.RoundTrip(req)
		for refreshing.Store(true); refreshing.Load(); {
			time.Sleep(time.Millisecond)
		}
		return resp, err
	}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://127.0.0.1/version", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("no error")
	}
	if !strings.Contains(err.Error(), "credential plugin login of") || refreshing.Load() {
		t.Errorf("got %v", err)
	}
}
