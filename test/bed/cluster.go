package bed

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Cluster is a devcluster.
type Cluster struct {
	Kubeconfig string // path
	Registry   string // HOST:PORT, without a login
	Dir        string // its state folder
	Gateway    string // HOST:PORT of its gateway, or ""
	GatewayTLS string // HOST:PORT of its gateway for HTTPS, or ""

	passing  bool // it runs no containers and ends with the tests, so namespaces may stay
	requests requests
}

// Shared returns the cluster with a node that all test packages share: the cluster that hack/test started, or a
// cluster that the package starts on first use.
func Shared(tb testing.TB) *Cluster {
	tb.Helper()
	if kubeconfig := os.Getenv("NORN_TEST_KUBECONFIG"); kubeconfig != "" {
		return &Cluster{Kubeconfig: kubeconfig, Registry: needs(tb, "NORN_TEST_REGISTRY"), Dir: filepath.Dir(kubeconfig)}
	}
	return exclusive.get(tb)
}

// ControlPlane returns a cluster without a node, which the package starts on first use. Its API server, controllers
// and scheduler are real, but no container ever runs.
func ControlPlane(tb testing.TB) *Cluster {
	tb.Helper()
	return controlPlane.get(tb)
}

// Exclusive returns a cluster with a node that the package starts on first use. No other package uses it, so tests may
// kill the kubelet.
func Exclusive(tb testing.TB) *Cluster {
	tb.Helper()
	return exclusive.get(tb)
}

// Nodes returns a cluster with three nodes, DNS and a gateway, which the package starts on first use. If
// NORN_TEST_NODES names the state folder of a running cluster with three nodes, Nodes returns that.
func Nodes(tb testing.TB) *Cluster {
	tb.Helper()
	if dir := os.Getenv("NORN_TEST_NODES"); dir != "" {
		c := &Cluster{Kubeconfig: filepath.Join(dir, "kubeconfig"), Dir: dir}
		out := Run(tb, exec.Command(devcluster(tb), "status", "--dir", dir, "--json"))
		_, rest, _ := strings.Cut(out, "{")
		if err := c.describe("{" + rest); err != nil {
			tb.Fatal(err)
		}
		return c
	}
	return nodes.get(tb)
}

// OwnControlPlane starts a cluster without a node for one test.
func OwnControlPlane(tb testing.TB) *Cluster {
	tb.Helper()
	c, err := start(devcluster(tb), withoutNode...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.stop(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// withoutNode holds the arguments of devcluster up for a control plane without a node.
var withoutNode = []string{"--control-plane"}

// The clusters that the tests of a package share.
var (
	exclusive    = &lazy{}
	controlPlane = &lazy{args: withoutNode}
	nodes        = &lazy{args: []string{"--nodes", "3", "--dns", "--gateway"}}
)

// lazy is a cluster that is started on first use.
type lazy struct {
	args    []string
	once    sync.Once
	cluster *Cluster
	err     error
}

func (l *lazy) get(tb testing.TB) *Cluster {
	tb.Helper()
	devcluster := devcluster(tb)
	l.once.Do(func() { l.cluster, l.err = start(devcluster, l.args...) })
	if l.err != nil {
		tb.Fatal(l.err)
	}
	return l.cluster
}

// devcluster returns the path of the devcluster command.
func devcluster(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(filepath.Dir(Kubectl(tb)), "devcluster")
}

// running maps the clusters that this process started to their devcluster commands.
var (
	runningMu sync.Mutex
	running   = map[*Cluster]string{}
)

// start starts a cluster in a new folder below NORN_TEST_CLUSTERS or the temporary folder. hack/test stops clusters
// below NORN_TEST_CLUSTERS that an aborted test left running.
func start(devcluster string, args ...string) (*Cluster, error) {
	root := os.Getenv("NORN_TEST_CLUSTERS")
	if root == "" {
		root = os.TempDir()
	}
	dir, err := os.MkdirTemp(root, "norn-cluster-")
	if err != nil {
		return nil, fmt.Errorf("start a cluster: %w", err)
	}
	c := &Cluster{Kubeconfig: filepath.Join(dir, "kubeconfig"), Dir: dir, passing: slices.Equal(args, withoutNode)}
	runningMu.Lock()
	running[c] = devcluster
	runningMu.Unlock()
	cmd := exec.Command(devcluster, append([]string{"up", "--dir", dir, "--json"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a cluster: %w\n%s", err, stderr.String()), c.stop())
	}
	if err := c.describe(string(out)); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// describe reads the addresses that devcluster prints as JSON.
func (c *Cluster) describe(printed string) error {
	var info struct{ Registry, Gateway, GatewayTLS string }
	if err := json.Unmarshal([]byte(printed), &info); err != nil {
		return fmt.Errorf("read the addresses of the cluster in %s: %w", c.Dir, err)
	}
	c.Registry, c.Gateway, c.GatewayTLS = info.Registry, info.Gateway, info.GatewayTLS
	return nil
}

// stop stops a cluster that this process started, and removes its folder.
func (c *Cluster) stop() error {
	runningMu.Lock()
	devcluster := running[c]
	delete(running, c)
	runningMu.Unlock()
	if out, err := exec.Command(devcluster, "down", "--dir", c.Dir, "--wipe").CombinedOutput(); err != nil {
		return fmt.Errorf("stop the cluster in %s: %w\n%s", c.Dir, err, out)
	}
	return os.RemoveAll(c.Dir)
}

// stopAll stops the clusters that are still running after a package's tests.
func stopAll() error {
	runningMu.Lock()
	var left []*Cluster
	for c := range running {
		left = append(left, c)
	}
	runningMu.Unlock()
	var errs []error
	for _, c := range left {
		errs = append(errs, c.stop())
	}
	return errors.Join(errs...)
}

// Kubectl runs kubectl as the cluster's administrator. A failure ends the test.
func (c *Cluster) Kubectl(tb testing.TB, args ...string) string {
	tb.Helper()
	return Run(tb, c.KubectlCommand(tb, args...))
}

// KubectlCommand returns a kubectl command as the cluster's administrator.
func (c *Cluster) KubectlCommand(tb testing.TB, args ...string) *exec.Cmd {
	tb.Helper()
	return exec.Command(Kubectl(tb), append([]string{"--kubeconfig", c.Kubeconfig}, args...)...)
}

// Exec returns a command that runs on the cluster's node.
func (c *Cluster) Exec(tb testing.TB, args ...string) *exec.Cmd {
	tb.Helper()
	return exec.Command(devcluster(tb), append([]string{"exec", "--dir", c.Dir, "--"}, args...)...)
}

// Namespace creates a namespace whose name begins with prefix. When the test ends, it starts the namespace's deletion.
func (c *Cluster) Namespace(tb testing.TB, prefix string) string {
	tb.Helper()
	suffix := make([]byte, 4)
	if _, err := rand.Read(suffix); err != nil {
		tb.Fatal(err)
	}
	name := prefix + "-" + hex.EncodeToString(suffix)
	if err := c.createNamespace(name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.deleteNamespace(name); err != nil {
			tb.Error(err)
		}
	})
	return name
}
