package cluster

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"time"

	"norn/devcluster/internal/kube"
	"norn/devcluster/internal/node"
	"norn/devcluster/internal/pki"
	"norn/devcluster/internal/process"
	"norn/devcluster/internal/registry"
	"norn/devcluster/internal/relay"
	"norn/devcluster/internal/state"
)

// The range of Service addresses, and its first address, which is that of the Service kubernetes.
const (
	serviceRange = "10.96.0.0/16"
	serviceIP    = "10.96.0.1"
)

// localAPIServer is the API server's URL for the control plane.
const localAPIServer = "https://127.0.0.1:6443"

// Addresses returns the API server's addresses inside the cluster, for its certificate.
func Addresses() []net.IP {
	return []net.IP{net.ParseIP(node.ControlPlaneIP), net.ParseIP(serviceIP)}
}

// Init runs the first process inside the namespaces. It starts everything, and returns only with an error.
func Init(ctx context.Context, d *state.Dir) error {
	settings, err := d.Settings()
	if err != nil {
		return err
	}
	for _, fd := range inheritedFDs(settings) {
		syscall.CloseOnExec(int(fd))
	}
	c := &cluster{dir: d, settings: settings, info: d.Info()}
	c.programs = process.NewGroup(d.Root, os.NewFile(lockFD, "lock"))
	if err := c.enter(); err != nil {
		return err
	}
	go c.programs.Reap()
	if err := c.start(ctx); err != nil {
		return err
	}
	select {}
}

// cluster holds what the steps of Init share.
type cluster struct {
	dir      *state.Dir
	settings state.Settings
	info     state.Info
	programs *process.Group
	client   *kube.Client
}

// enter mounts folders of the state folder over the folders that the control plane would otherwise create on the host.
func (c *cluster) enter() error {
	var mounts []node.Mount
	for _, m := range [][2]string{
		{c.dir.Path("var-lib"), "/var/lib"}, {c.dir.Path("var-log"), "/var/log"},
		{c.dir.Path("volumes"), node.VolumesDir},
	} {
		bind, err := node.Bind(m[0], m[1])
		if err != nil {
			return fmt.Errorf("mount %s: %w", m[1], err)
		}
		mounts = append(mounts, bind)
	}
	return node.Enter("control-plane", append(mounts, node.Tmpfs("/run")))
}

func (c *cluster) start(ctx context.Context) error {
	server, err := url.Parse(localAPIServer)
	if err != nil {
		return err
	}
	if err := pki.WriteKubeconfig(c.dir.Path("pki"), "admin", c.dir.InnerKubeconfig(), *server); err != nil {
		return err
	}
	if c.client, err = kube.New(c.dir.Path("pki"), localAPIServer); err != nil {
		return err
	}
	if err := c.network(); err != nil {
		return err
	}
	if err := c.startEtcd(); err != nil {
		return err
	}
	if err := c.startAPIServer(); err != nil {
		return err
	}
	if err := c.serveRegistry(ctx); err != nil {
		return err
	}
	if err := serveSocket(apiFD, "127.0.0.1:6443"); err != nil {
		return err
	}
	if err := c.startNodes(); err != nil {
		return err
	}
	if err := c.startControllers(ctx); err != nil {
		return err
	}
	c.startHollowNodes(ctx)
	return c.startAddOns(ctx)
}

// serveSocket relays connections from a host socket to an address inside the cluster.
func serveSocket(fd uintptr, to string) error {
	l, err := net.FileListener(os.NewFile(fd, "socket"))
	if err != nil {
		return fmt.Errorf("use a host socket: %w", err)
	}
	go relay.Serve(l, to)
	return nil
}

// serveRegistry serves the registry on the host and inside the cluster, and pushes the pause image.
func (c *cluster) serveRegistry(ctx context.Context) error {
	handler, err := registry.New(ctx, c.dir.Path("registry"))
	if err != nil {
		return err
	}
	inside, err := net.Listen("tcp", fmt.Sprintf(":%d", c.info.RegistryPort))
	if err != nil {
		return fmt.Errorf("listen on the registry's port inside the cluster: %w", err)
	}
	outside, err := net.FileListener(os.NewFile(registryFD, "registry"))
	if err != nil {
		return fmt.Errorf("use the registry's host socket: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	for _, l := range []net.Listener{inside, outside} {
		go func() { log.Printf("registry: %v", server.Serve(l)) }()
	}
	pause, err := process.Program("pause")
	if err != nil {
		return err
	}
	return registry.PushBinary(ctx, node.PauseImage(c.info.Registry), pause)
}
