package bed

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Workspace is a namespace of a cluster, and a home folder for norn, which is also the apps folder.
type Workspace struct {
	*Cluster
	T         testing.TB
	Namespace string
	Home      string   // also the apps folder
	Env       []string // for each norn command, in addition to the defaults

	tunnel bool // State includes the cluster's tunnel configuration
}

// New returns a workspace on c. Its namespace is deleted when the test ends.
func New(tb testing.TB, c *Cluster) *Workspace {
	tb.Helper()
	return &Workspace{Cluster: c, T: tb, Namespace: c.Namespace(tb, "test"), Home: tb.TempDir()}
}

// Kubectl runs kubectl in the namespace, or does the same without a process, which is much faster. A failure ends the
// test.
func (w *Workspace) Kubectl(args ...string) string {
	w.T.Helper()
	if args[0] == "get" {
		if q, ok := parseQuery(args[1:]); ok {
			out, err := w.ask(q)
			if err != nil {
				w.T.Fatalf("kubectl %s: %v", strings.Join(args, " "), err)
			}
			return out
		}
	}
	return Run(w.T, w.KubectlCommand(args...))
}

// KubectlCommand returns a kubectl command in the namespace.
func (w *Workspace) KubectlCommand(args ...string) *exec.Cmd {
	w.T.Helper()
	return w.Cluster.KubectlCommand(w.T, append([]string{"--namespace", w.Namespace}, args...)...)
}

// WriteApp writes the infraspec of an app.
func (w *Workspace) WriteApp(name, infraspec string) {
	w.T.Helper()
	WriteFiles(w.T, w.Home, map[string]string{name + "/infraspec.yaml": infraspec})
}

// Command returns a norn command with this kubeconfig.
func (w *Workspace) Command(kubeconfig string, args ...string) *exec.Cmd {
	w.T.Helper()
	cmd := w.Tool(kubeconfig, Norn(w.T), args...)
	cmd.Env = append(cmd.Env, "NORN_NAMESPACE="+w.Namespace, "NORN_APPS_DIR="+w.Home)
	cmd.Env = append(cmd.Env, w.Env...)
	return cmd
}

// Tool returns a command of another program with this kubeconfig.
func (w *Workspace) Tool(kubeconfig, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = append([]string{"HOME=" + w.Home, "KUBECONFIG=" + kubeconfig, "PATH=" + os.Getenv("PATH")}, noInternet...)
	return cmd
}

// noInternet keeps norn from asking for an app's public hosts outside this machine: no proxy listens there. Programs do
// not use it for addresses of this machine.
var noInternet = []string{"HTTPS_PROXY=http://127.0.0.1:9", "HTTP_PROXY=http://127.0.0.1:9"}

// Norn runs norn. A failure ends the test.
func (w *Workspace) Norn(args ...string) {
	w.T.Helper()
	Run(w.T, w.Command(w.Kubeconfig, args...))
}

// WithTunnel creates the cluster's tunnel configuration and deletes it when the test ends. All apps with a public host
// share that configuration, so no other test must use the cluster at the same time.
func (w *Workspace) WithTunnel(config string) {
	w.T.Helper()
	w.Cluster.Kubectl(w.T, "create", "namespace", "cloudflared")
	w.T.Cleanup(func() { w.Cluster.Kubectl(w.T, "delete", "namespace", "cloudflared") })
	w.Cluster.Kubectl(w.T, "-n", "cloudflared", "create", "configmap", "cloudflared", "--from-literal=config.yaml="+config)
	w.tunnel = true
}
