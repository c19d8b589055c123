package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"norn/devcluster/internal/state"
)

// ContainerdSocket is where containerd listens, inside the node.
const ContainerdSocket = "/run/containerd/containerd.sock"

// startContainers starts containerd and the kubelet.
func (n *node) startContainers(ctx context.Context) error {
	if err := makeCgroups(n.dir.Name()); err != nil {
		return err
	}
	for path, text := range n.files() {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		if err := state.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	containerd, err := exec.LookPath("containerd")
	if err != nil {
		return fmt.Errorf("find containerd: %w", err)
	}
	if err := n.procs.start(component{"containerd", containerd, []string{"--config", n.dir.Path("containerd.toml")}}); err != nil {
		return err
	}
	if err := untilListening(ctx, ContainerdSocket); err != nil {
		return err
	}
	return n.procs.own("kubelet", "--kubeconfig="+n.dir.InnerKubeconfig(), "--config="+n.dir.Path("kubelet.yaml"),
		"--hostname-override=node", "--node-ip="+nodeIP, "--root-dir=/var/lib/kubelet", "--cert-dir="+n.dir.Path("pki"))
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

// files are the settings that containerd, CNI and the kubelet read, by path.
func (n *node) files() map[string]string {
	return map[string]string{
		n.dir.Path("containerd.toml"):                      n.containerdConfig(),
		n.dir.Path("hosts", n.info.Registry, "hosts.toml"): fmt.Sprintf("server = \"http://%s\"\n", n.info.Registry),
		n.dir.Path("cni", "10-bridge.conflist"):            cniConfig,
		n.dir.Path("resolv.conf"):                          "nameserver " + nodeIP + "\n", // nobody answers: no DNS here
		n.dir.Path("kubelet.yaml"):                         n.kubeletConfig(),
	}
}

func (n *node) containerdConfig() string {
	return fmt.Sprintf(`version = 2
root = %q
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = %q
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  # Without CAP_SYS_RESOURCE runc cannot lower a score.
  restrict_oom_score_adj = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = %q
    conf_dir = %q
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = %q
`, n.dir.Path("containerd"), ContainerdSocket, n.pauseImage(), CNIDir, n.dir.Path("cni"), n.dir.Path("hosts"))
}

// CNIDir is where Debian's containernetworking-plugins are.
const CNIDir = "/usr/lib/cni"

const cniConfig = `{"cniVersion":"0.4.0","name":"devcluster","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"hairpinMode":true,"ipam":{"type":"host-local","dataDir":"/run/cni-ipam",
  "ranges":[[{"subnet":"` + podSubnet + `"}]],"routes":[{"dst":"0.0.0.0/0"}]}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
`

func (n *node) kubeletConfig() string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: %[1]s
port: 10250
healthzPort: 0
readOnlyPort: 0
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
cgroupRoot: /%[2]s
cgroupsPerQOS: true
enforceNodeAllocatable: []
localStorageCapacityIsolation: false
containerRuntimeEndpoint: unix://%[3]s
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: %[4]s/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: %[4]s/kubelet.crt
tlsPrivateKeyFile: %[4]s/kubelet.key
evictionHard: {memory.available: 50Mi, nodefs.available: "0%%", imagefs.available: "0%%", nodefs.inodesFree: "0%%"}
imageGCHighThresholdPercent: 100
resolvConf: %[5]s
clusterDomain: cluster.local
clusterDNS: [10.96.0.10]
volumePluginDir: /var/lib/kubelet/volumeplugins
syncFrequency: 10s
nodeStatusUpdateFrequency: 10s
`, nodeIP, n.dir.Name(), ContainerdSocket, n.dir.Path("pki"), n.dir.Path("resolv.conf"))
}
