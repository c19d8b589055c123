// Package e2e tests the built devcluster: started twice, killed, side by side, and stopped without a trace.
package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"norn/devcluster/internal/state"
)

type info struct {
	Kubeconfig, Registry  string
	Gateway               string
	APIPort, RegistryPort int
}

type cluster struct {
	t        *testing.T
	bin, dir string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	bin := os.Getenv("DEVCLUSTER_BINARY")
	if bin == "" {
		t.Skip("DEVCLUSTER_BINARY is not set: run make devcluster")
	}
	c := &cluster{t, bin, filepath.Join(t.TempDir(), "cluster")}
	t.Cleanup(func() { c.run("down", "--wipe") })
	return c
}

// command returns a devcluster command for this cluster. Arguments after -- belong to the command inside.
func (c *cluster) command(args ...string) *exec.Cmd {
	return exec.Command(c.bin, append([]string{"--dir", c.dir}, args...)...)
}

func (c *cluster) run(args ...string) string {
	c.t.Helper()
	cmd := c.command(args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("devcluster %v: %v\n%s", args, err, errs.String())
	}
	return string(out)
}

func (c *cluster) up() info {
	c.t.Helper()
	return c.upWith()
}

func (c *cluster) upWith(flags ...string) info {
	c.t.Helper()
	var i info
	if err := json.Unmarshal([]byte(c.run(append([]string{"up", "--json"}, flags...)...)), &i); err != nil {
		c.t.Fatal(err)
	}
	return i
}

func (c *cluster) kubectl(args ...string) string {
	c.t.Helper()
	all := append([]string{"kubectl", "--kubeconfig", filepath.Join(c.dir, "kubeconfig")}, args...)
	out, err := exec.Command(c.bin, all...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// pid returns the supervisor's pid.
func (c *cluster) pid() int {
	c.t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, "cluster.lock"))
	if err != nil {
		c.t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(data), &pid); err != nil {
		c.t.Fatal(err)
	}
	return pid
}

// traces returns processes and cgroups that are named after this cluster's folder.
func (c *cluster) traces() []string {
	var found []string
	procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range procs {
		data, err := os.ReadFile(p)
		if err == nil && strings.Contains(string(data), c.dir) {
			found = append(found, strings.ReplaceAll(string(data), "\x00", " "))
		}
	}
	groups, _ := filepath.Glob("/sys/fs/cgroup/*/" + (&state.Dir{Root: c.dir}).Name())
	return append(found, groups...)
}

func TestUpAgainKillAndUp(t *testing.T) {
	c := newCluster(t)
	first := c.up()
	c.kubectl("create", "configmap", "kept", "--from-literal=a=b")
	if again := c.up(); again != first {
		t.Errorf("second up: %+v, first up: %+v", again, first)
	}
	// A killed supervisor ends all processes of the cluster, and the next up starts it again.
	if err := syscall.Kill(c.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if after := c.up(); after != first {
		t.Errorf("up after a kill: %+v, before: %+v", after, first)
	}
	if out := c.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.a}"); out != "b" {
		t.Errorf("the cluster has lost its objects: %q", out)
	}
	c.run("down")
	c.run("down") // not running
	if left := c.traces(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first.APIPort)); err != nil {
		t.Error(err)
	} else {
		_ = l.Close()
	}
}

func TestKilledBeforeReady(t *testing.T) {
	c := newCluster(t)
	cmd := exec.Command(c.bin, "up", "--dir", c.dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Kill up as soon as a supervisor exists.
	deadline := time.Now().Add(30 * time.Second)
	for {
		if _, err := os.Stat(filepath.Join(c.dir, "log", "supervisor.log")); err == nil || time.Now().After(deadline) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	c.up()
}

func TestSideBySideWithPortsTaken(t *testing.T) {
	a, b := newCluster(t), newCluster(t)
	first, second := a.upWith("--nodes", "2"), b.upWith("--nodes", "2")
	if first.APIPort == second.APIPort || first.RegistryPort == second.RegistryPort {
		t.Errorf("two clusters share a port: %+v and %+v", first, second)
	}
	a.kubectl("create", "configmap", "only-in-a")
	if out := b.kubectl("get", "configmaps", "-o", "name"); strings.Contains(out, "only-in-a") {
		t.Error("two clusters share their objects")
	}
	// The kubeconfig makes clients verify the API server's certificate.
	data, err := os.ReadFile(first.Kubeconfig)
	if err != nil || strings.Contains(string(data), "insecure") ||
		!strings.Contains(string(data), "certificate-authority-data") {
		t.Errorf("the kubeconfig skips verification, or cannot be read: %v", err)
	}
}

// A killed component is restarted.
func TestAPIServerRestarts(t *testing.T) {
	c := newCluster(t)
	c.up()
	procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	killed := false
	for _, p := range procs {
		data, err := os.ReadFile(p)
		if err != nil || !strings.Contains(string(data), "kube-apiserver\x00") || !strings.Contains(string(data), c.dir) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(p, "/proc/%d/cmdline", &pid); err != nil {
			t.Fatal(err)
		}
		killed = syscall.Kill(pid, syscall.SIGKILL) == nil
		for deadline := time.Now().Add(30 * time.Second); syscall.Kill(pid, 0) == nil && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond) // until it is reaped
		}
	}
	if !killed {
		t.Fatal("no API server found")
	}
	c.up()
	c.kubectl("get", "nodes")
}
