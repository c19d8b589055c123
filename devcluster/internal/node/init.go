package node

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"norn/devcluster/internal/kube"
	"norn/devcluster/internal/pki"
	"norn/devcluster/internal/process"
	"norn/devcluster/internal/state"
)

// InitCommand is the hidden command that runs a node's first process.
const InitCommand = "init-node"

// lockFD is the file descriptor of the cluster's lock, which every process of the cluster inherits.
const lockFD = 3

// APIServer is the API server's URL for the nodes.
const APIServer = "https://" + ControlPlaneIP + ":6443"

// Init runs the first process of a node. It starts the node's programs, and returns only with an error.
func Init(ctx context.Context, d *state.Dir, name string) error {
	settings, err := d.Settings()
	if err != nil {
		return err
	}
	n, ok := Named(name, settings.Nodes)
	if !ok {
		return fmt.Errorf("no node %q among %d nodes", name, settings.Nodes)
	}
	syscall.CloseOnExec(lockFD)
	i := &instance{Node: n, dir: d, settings: settings, registry: d.Info().Registry}
	i.programs = process.NewGroup(d.Root, os.NewFile(lockFD, "lock"))
	if err := i.enter(); err != nil {
		return err
	}
	go i.programs.Reap()
	if err := i.connect(ctx); err != nil {
		return err
	}
	if err := i.start(ctx); err != nil {
		return err
	}
	select {}
}

// instance is a running node.
type instance struct {
	Node
	dir      *state.Dir
	settings state.Settings
	registry string // host:port
	programs *process.Group
}

// path returns a path in the node's folder.
func (i *instance) path(names ...string) string {
	return i.dir.Path(append([]string{"nodes", i.Name()}, names...)...)
}

// pki returns the path of a file in the folder of certificates.
func (i *instance) pki(file string) string { return i.dir.Path("pki", file) }

// log returns the path of a program's log.
func (i *instance) log(program string) string { return i.dir.Log(filepath.Join(i.Name(), program)) }

func (i *instance) enter() error {
	var mounts []Mount
	for source, target := range map[string]string{
		i.path("var-lib"): "/var/lib", i.path("var-log"): "/var/log", i.dir.Path("volumes"): VolumesDir,
	} {
		m, err := Bind(source, target)
		if err != nil {
			return fmt.Errorf("mount %s: %w", target, err)
		}
		mounts = append(mounts, m)
	}
	if err := i.write(); err != nil {
		return err
	}
	if i.settings.DNS {
		mounts = append(mounts, Mount{i.path("resolv.conf"), "/etc/resolv.conf", "", syscall.MS_BIND})
	}
	return Enter(i.Name(), append(mounts, Tmpfs("/run")))
}

// start starts the programs. containerd starts at the same time as the API server.
func (i *instance) start(ctx context.Context) error {
	ClearCgroups(i.cgroup()) // the kubelet waits three seconds for each cgroup of an earlier instance
	if err := makeCgroups(i.cgroup()); err != nil {
		return err
	}
	if err := relayRegistry(i.registry); err != nil {
		return err
	}
	if err := i.startContainerd(); err != nil {
		return err
	}
	client, err := kube.New(i.dir.Path("pki"), APIServer)
	if err != nil {
		return err
	}
	if err := kube.Until(ctx, 3*time.Minute, "the API server is ready", client.Ready); err != nil {
		return err
	}
	if err := i.issue(); err != nil {
		return err
	}
	if err := untilListening(ctx, ContainerdSocket); err != nil {
		return err
	}
	if err := i.startKubelet(); err != nil {
		return err
	}
	return i.startProxy(ctx, client)
}

// issue creates the node's certificate and the kubeconfigs of its programs.
func (i *instance) issue() error {
	dir := i.dir.Path("pki")
	if err := pki.EnsureNode(dir, i.Name(), i.IP()); err != nil {
		return err
	}
	server, err := url.Parse(APIServer)
	if err != nil {
		return err
	}
	if err := pki.WriteKubeconfig(dir, pki.NodeFile(i.Name()), i.path("kubelet.kubeconfig"), *server); err != nil {
		return err
	}
	return pki.WriteKubeconfig(dir, "kube-proxy", i.path("kube-proxy.kubeconfig"), *server)
}

func untilListening(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for containerd: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
