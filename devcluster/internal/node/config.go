package node

import (
	"fmt"
	"os"
	"path/filepath"

	"norn/devcluster/internal/state"
)

// ContainerdSocket is the path of containerd's socket inside the node.
const ContainerdSocket = "/run/containerd/containerd.sock"

// CNIDir is the folder of Debian's package containernetworking-plugins.
const CNIDir = "/usr/lib/cni"

// PauseImage returns the reference of the pause image, which keeps a pod's namespaces open, in a registry.
func PauseImage(registry string) string { return registry + "/pause:1" }

// write writes the configuration files of the node's programs.
func (i *instance) write() error {
	for path, text := range map[string]string{
		i.path("containerd.toml"):                 i.containerdConfig(),
		i.path("hosts", i.registry, "hosts.toml"): fmt.Sprintf("server = \"http://%s\"\n", i.registry),
		i.path("cni", "10-ptp.conflist"):          i.cniConfig(),
		i.path("resolv.conf"):                     resolvConf,
		i.path("kubelet-resolv.conf"):             "nameserver " + ControlPlaneIP + "\n",
		i.path("kubelet.yaml"):                    i.kubeletConfig(),
		i.path("kube-proxy.yaml"):                 i.proxyConfig(),
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		if err := state.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}

// resolvConf makes commands on a node use the cluster's DNS like a pod in namespace default.
const resolvConf = `nameserver ` + DNSServiceIP + `
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
`

func (i *instance) containerdConfig() string {
	return fmt.Sprintf(`version = 2
root = %q
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", `+
		`"io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", `+
		`"io.containerd.snapshotter.v1.aufs", "io.containerd.tracing.processor.v1.otlp"]
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
`, i.path("containerd"), ContainerdSocket, PauseImage(i.registry), CNIDir, i.path("cni"), i.path("hosts"))
}

// cniConfig connects each pod to its node by a veth pair. On a bridge, responses between pods of the same node would
// bypass the node's packet filter, which must reverse the address translation of kube-proxy.
func (i *instance) cniConfig() string {
	return fmt.Sprintf(`{"cniVersion":"0.4.0","name":"devcluster","plugins":[
 {"type":"ptp","ipam":{"type":"host-local","dataDir":"/run/cni-ipam",
  "ranges":[[{"subnet":%q}]],"routes":[{"dst":"0.0.0.0/0"}]}},
 {"type":"portmap","capabilities":{"portMappings":true}}]}
`, i.PodSubnet())
}

func (i *instance) kubeletConfig() string {
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
  x509: {clientCAFile: %[4]s}
authorization: {mode: Webhook}
tlsCertFile: %[5]s.crt
tlsPrivateKeyFile: %[5]s.key
evictionHard: {memory.available: 50Mi, nodefs.available: "0%%", imagefs.available: "0%%", nodefs.inodesFree: "0%%"}
imageGCHighThresholdPercent: 100
resolvConf: %[6]s
clusterDomain: cluster.local
clusterDNS: [%[7]s]
volumePluginDir: /var/lib/kubelet/volumeplugins
syncFrequency: 10s
nodeStatusUpdateFrequency: 10s
`, i.IP(), i.cgroup(), ContainerdSocket, i.pki("ca.crt"), i.pki("kubelet-"+i.Name()),
		i.path("kubelet-resolv.conf"), DNSServiceIP)
}

// proxyConfig does not set limits for connection tracking, because they are the host's.
func (i *instance) proxyConfig() string {
	return fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
hostnameOverride: %s
clusterCIDR: %s
detectLocalMode: ClusterCIDR
clientConnection: {kubeconfig: %s}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
`, i.Name(), podNetwork, i.path("kube-proxy.kubeconfig"))
}

// cgroup returns the cgroup of the node's pods.
func (i *instance) cgroup() string { return filepath.Join(i.dir.Name(), i.Name()) }
