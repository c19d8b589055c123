package node

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"norn/devcluster/internal/pki"
	"norn/devcluster/internal/registry"
	"norn/devcluster/internal/state"
)

// The addresses inside the network namespace. The service address is the first of the range, which Kubernetes gives to
// its own Service: the API server listens on it itself, so that pods reach it without a kube-proxy.
const (
	nodeIP       = "10.244.0.1"
	podSubnet    = "10.244.0.0/24"
	serviceRange = "10.96.0.0/16"
	serviceIP    = "10.96.0.1"
	apiPort      = "443"
)

// Addresses are those under which the API server is reached inside, for its certificate.
func Addresses() (node, service net.IP) { return net.ParseIP(nodeIP), net.ParseIP(serviceIP) }

// Init is the first process inside the namespaces. It starts everything and never returns but with an error.
func Init(ctx context.Context, d *state.Dir) error {
	n := &node{dir: d, info: d.Info(), procs: newProcesses(d)}
	if err := n.enter(); err != nil {
		return err
	}
	if err := pki.WriteKubeconfig(d.Path("pki"), d.InnerKubeconfig(), url.URL{Scheme: "https", Host: "127.0.0.1:" + apiPort}); err != nil {
		return err
	}
	go n.procs.reap()
	if err := n.serveRegistry(ctx); err != nil {
		return err
	}
	if err := relay(apiFD, "127.0.0.1:"+apiPort); err != nil {
		return err
	}
	if err := n.startControlPlane(ctx); err != nil {
		return err
	}
	if err := n.startContainers(ctx); err != nil {
		return err
	}
	select {}
}

// node is what the steps of Init share.
type node struct {
	dir   *state.Dir
	info  state.Info
	procs *processes
}

// serveRegistry serves the registry on the host's socket and on the same address inside, where containerd looks
// for it, and puts the pause image there.
func (n *node) serveRegistry(ctx context.Context) error {
	handler, err := registry.New(ctx, n.dir.Path("registry"))
	if err != nil {
		return err
	}
	inside, err := net.Listen("tcp", n.info.Registry)
	if err != nil {
		return fmt.Errorf("open the registry's port inside: %w", err)
	}
	outside, err := net.FileListener(os.NewFile(registryFD, "registry"))
	if err != nil {
		return fmt.Errorf("take the registry's socket over: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	for _, l := range []net.Listener{inside, outside} {
		go func() { log.Printf("registry: %v", server.Serve(l)) }()
	}
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("find the pause program: %w", err)
	}
	return registry.PushBinary(ctx, n.pauseImage(), filepath.Join(filepath.Dir(exe), "pause"))
}

func (n *node) pauseImage() string { return n.info.Registry + "/pause:1" }
