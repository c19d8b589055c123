package node

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"time"

	"norn/devcluster/internal/kube"
	"norn/devcluster/internal/process"
)

func (i *instance) startContainerd() error {
	path, err := exec.LookPath("containerd")
	if err != nil {
		return fmt.Errorf("find containerd: %w", err)
	}
	return i.programs.Keep(process.Component{
		Name: "containerd", Path: path, Args: []string{"--config", i.path("containerd.toml")}, Log: i.log("containerd"),
	})
}

func (i *instance) startKubelet() error {
	args := []string{
		"--kubeconfig=" + i.path("kubelet.kubeconfig"), "--config=" + i.path("kubelet.yaml"),
		"--hostname-override=" + i.Name(), "--node-ip=" + i.IP().String(),
		"--root-dir=/var/lib/kubelet", "--cert-dir=" + i.path("kubelet-pki"),
	}
	for _, taint := range i.settings.Taints[i.Name()] {
		args = append(args, "--register-with-taints="+taint)
	}
	return i.keep("kubelet", args)
}

// startProxy starts kube-proxy once its Node has an address. Otherwise kube-proxy would wait for 30 seconds, continue
// without an address, and exit when the Node gets one (k8s.io/kubernetes/pkg/proxy/node.go).
func (i *instance) startProxy(ctx context.Context, client *kube.Client) error {
	path := "/api/v1/nodes/" + i.Name()
	if err := kube.Until(ctx, 3*time.Minute, "node "+i.Name()+" is registered", func(ctx context.Context) (bool, error) {
		var node struct {
			Status struct{ Addresses []struct{ Address string } }
		}
		code, err := client.Do(ctx, http.MethodGet, path, nil, &node)
		return code == http.StatusOK && len(node.Status.Addresses) > 0, err
	}); err != nil {
		return err
	}
	return i.keep("kube-proxy", []string{"--config=" + i.path("kube-proxy.yaml")})
}

// keep starts a program of the kubernetes binary.
func (i *instance) keep(name string, args []string) error {
	path, err := process.Program("kubernetes")
	if err != nil {
		return err
	}
	return i.programs.Keep(process.Component{
		Name: name, Path: path, Args: append([]string{name}, args...), Log: i.log(name),
	})
}
