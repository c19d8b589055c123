package nodes

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"norn/test/bed"
)

// clients send requests to an app in four ways at a time, each about 250 a second: from a Pod to the Service's address
// and from outside through the gateway, with a connection for each request and with connections that stay open.
type clients struct {
	t   *testing.T
	all []*client
}

type client struct {
	name  string
	cmd   *exec.Cmd
	stdin io.Closer
	out   bytes.Buffer
	errs  bytes.Buffer
}

// count is what testdata/apps/load prints.
type count struct {
	Asked    int
	Answered map[string]int
	Failed   map[string]int
}

const (
	clientPod  = "client"
	clientNode = "node"
)

// startClientPod starts the Pod in which clients run, on a node that no test drains or stops.
func startClientPod(w *bed.Workspace) {
	w.T.Helper()
	image := w.Image(w.T, "load", nil)
	w.Kubectl("run", clientPod, "--image", image, "--env", "PORT=8080",
		"--overrides", `{"spec":{"nodeName":"`+clientNode+`"}}`)
	w.Kubectl("wait", "--for=condition=Ready", "pod/"+clientPod, "--timeout=2m")
}

// startClients starts the clients of all four ways.
func startClients(t *testing.T, w *bed.Workspace, host string) *clients {
	t.Helper()
	service := "http://" + strings.TrimSpace(w.Kubectl("get", "service", appName, "-o", "jsonpath={.spec.clusterIP}"))
	outside := filepath.Join(os.Getenv("NORN_TEST_BINARIES"), "load")
	flags := []string{"--stdin", "--for", "2h", "--workers", "5", "--every", "20ms"}
	c := &clients{t: t}
	for _, keep := range []string{"--keepalive=true", "--keepalive=false"} {
		args := append(slices.Clone(flags), keep)
		inside := append([]string{"exec", "-i", clientPod, "--", "/load"}, args...)
		c.start("Service, "+keep, w.KubectlCommand(append(inside, service)...))
		if w.Gateway == "" {
			continue // the cluster of NORN_TEST_NODES may have none
		}
		c.start("gateway, "+keep, exec.Command(outside, append(args, "--host", host, "http://"+w.Gateway)...))
	}
	return c
}

// startOutside starts clients outside the cluster that verify the gateway's certificate.
func startOutside(t *testing.T, w *bed.Workspace, host, path string) *clients {
	t.Helper()
	c := &clients{t: t}
	for _, keep := range []string{"--keepalive=true", "--keepalive=false"} {
		c.start("gateway with TLS, "+keep, exec.Command(filepath.Join(os.Getenv("NORN_TEST_BINARIES"), "load"),
			"--stdin", "--for", "2h", "--workers", "5", "--every", "20ms", keep, "--ca", filepath.Join(w.Dir, "pki", "ca.crt"),
			"--host", host, "https://"+w.GatewayTLS+path))
	}
	return c
}

func (c *clients) start(name string, cmd *exec.Cmd) {
	c.t.Helper()
	one := &client{name: name, cmd: cmd}
	cmd.Stdout, cmd.Stderr = &one.out, &one.errs
	stdin, err := cmd.StdinPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	one.stdin = stdin
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.all = append(c.all, one)
	c.t.Cleanup(func() { _ = cmd.Process.Kill() }) // if the test fails before stop
}

// stop ends the clients, and checks that no request was lost.
func (c *clients) stop() {
	c.t.Helper()
	for name, n := range c.counts() {
		c.t.Logf("%s: %d requests, %d lost", name, n.Asked, n.lost())
		if n.lost() > 0 || len(n.Answered) == 0 {
			c.t.Errorf("%s: of %d requests, %d were lost: %v", name, n.Asked, n.lost(), n.Failed)
		}
	}
}

// lost returns how many requests had no good answer.
func (n count) lost() int {
	lost := 0
	for _, times := range n.Failed {
		lost += times
	}
	return lost
}

// counts ends the clients, and returns what each has counted, by name.
func (c *clients) counts() map[string]count {
	c.t.Helper()
	for _, one := range c.all {
		_ = one.stdin.Close()
	}
	all := map[string]count{}
	for _, one := range c.all {
		watchdog := time.AfterFunc(time.Minute, func() { _ = one.cmd.Process.Kill() })
		_ = one.cmd.Wait() // it ends with 1 if requests were lost
		watchdog.Stop()
		var n count
		if err := json.Unmarshal(one.out.Bytes(), &n); err != nil {
			c.t.Fatalf("%s: %v: %s%s", one.name, err, one.out.String(), one.errs.String())
		}
		all[one.name] = n
	}
	return all
}
