package cluster

import (
	"context"
	"time"

	"norn/devcluster/internal/kube"
	"norn/devcluster/internal/node"
	"norn/devcluster/internal/process"
)

// keep starts a program of the kubernetes binary.
func (c *cluster) keep(name string, args ...string) error {
	path, err := process.Program("kubernetes")
	if err != nil {
		return err
	}
	return c.programs.Keep(process.Component{
		Name: name, Path: path, Args: append([]string{name}, args...), Log: c.dir.Log(name),
	})
}

func (c *cluster) startEtcd() error {
	return c.keep("etcd", "--data-dir", c.dir.Path("etcd"),
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=default=http://127.0.0.1:2380",
		"--unsafe-no-fsync", // a devcluster holds no valuable data
		"--log-level=warn")
}

func (c *cluster) startAPIServer() error {
	pki := func(file string) string { return c.dir.Path("pki", file) }
	return c.keep("kube-apiserver",
		"--etcd-servers=http://127.0.0.1:2379",
		"--bind-address=0.0.0.0", "--secure-port=6443", "--advertise-address="+node.ControlPlaneIP,
		"--tls-cert-file="+pki("apiserver.crt"), "--tls-private-key-file="+pki("apiserver.key"),
		"--client-ca-file="+pki("ca.crt"),
		"--kubelet-certificate-authority="+pki("ca.crt"),
		"--kubelet-client-certificate="+pki("admin.crt"), "--kubelet-client-key="+pki("admin.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+pki("sa.key"), "--service-account-signing-key-file="+pki("sa.key"),
		"--service-cluster-ip-range="+serviceRange,
		// The control plane has no kube-proxy, so it reaches aggregated API servers at their endpoints.
		"--enable-aggregator-routing=true",
		"--requestheader-client-ca-file="+pki("front-proxy-ca.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+pki("front-proxy-client.crt"), "--proxy-client-key-file="+pki("front-proxy-client.key"),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true", "--profiling=false")
}

// startControllers starts the controllers and the scheduler once the API server is ready.
func (c *cluster) startControllers(ctx context.Context) error {
	if err := kube.Until(ctx, 3*time.Minute, "the API server is ready", c.client.Ready); err != nil {
		return err
	}
	pki := func(file string) string { return c.dir.Path("pki", file) }
	// With the default client limits, many pods start slowly.
	common := []string{
		"--kube-api-qps=500", "--kube-api-burst=1000", "--leader-elect=false", "--secure-port=0", "--profiling=false",
		"--kubeconfig=" + c.dir.InnerKubeconfig(),
	}
	err := c.keep("kube-controller-manager", append(common,
		"--service-account-private-key-file="+pki("sa.key"), "--root-ca-file="+pki("ca.crt"),
		"--flex-volume-plugin-dir="+c.dir.Path("flexvolume"), // the program creates the folder, which must not be on the host
		"--enable-hostpath-provisioner=true")...)
	if err != nil {
		return err
	}
	if err := c.keep("kube-scheduler", common...); err != nil {
		return err
	}
	return c.makeStorageClass(ctx)
}

// storageClass binds claims immediately, to folders below the state folder that all nodes mount.
const storageClass = `{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass",
"metadata":{"name":"standard","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},
"provisioner":"kubernetes.io/host-path","volumeBindingMode":"Immediate","reclaimPolicy":"Delete",
"allowVolumeExpansion":true}`

func (c *cluster) makeStorageClass(ctx context.Context) error {
	return kube.Until(ctx, time.Minute, "the StorageClass exists", func(ctx context.Context) (bool, error) {
		return c.client.Create(ctx, "/apis/storage.k8s.io/v1/storageclasses", []byte(storageClass))
	})
}
