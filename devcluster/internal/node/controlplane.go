package node

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"norn/devcluster/internal/kube"
)

// startControlPlane starts etcd and the API server, and when that answers, the controllers and the scheduler.
func (n *node) startControlPlane(ctx context.Context) error {
	pki := func(file string) string { return n.dir.Path("pki", file) }
	err := n.procs.own("etcd", "--data-dir", n.dir.Path("etcd"),
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=default=http://127.0.0.1:2380",
		"--unsafe-no-fsync", // nobody's data depends on a devcluster
		"--log-level=warn")
	if err != nil {
		return err
	}
	err = n.procs.own("kube-apiserver",
		"--etcd-servers=http://127.0.0.1:2379",
		"--bind-address=0.0.0.0", "--secure-port="+apiPort, "--advertise-address="+nodeIP,
		"--endpoint-reconciler-type=none",
		"--tls-cert-file="+pki("apiserver.crt"), "--tls-private-key-file="+pki("apiserver.key"),
		"--client-ca-file="+pki("ca.crt"),
		"--kubelet-certificate-authority="+pki("ca.crt"),
		"--kubelet-client-certificate="+pki("admin.crt"), "--kubelet-client-key="+pki("admin.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+pki("sa.key"), "--service-account-signing-key-file="+pki("sa.key"),
		"--service-cluster-ip-range="+serviceRange,
		"--authorization-mode=Node,RBAC", "--allow-privileged=true", "--profiling=false")
	if err != nil {
		return err
	}
	client, err := kube.New(n.dir.Path("pki"), "https://127.0.0.1:"+apiPort)
	if err != nil {
		return err
	}
	if err := client.Until(ctx, 3*time.Minute, "the API server is ready", func(ctx context.Context) (bool, error) {
		code, err := client.Do(ctx, http.MethodGet, "/readyz", nil, nil)
		return code == http.StatusOK, err
	}); err != nil {
		return err
	}
	config := "--kubeconfig=" + n.dir.InnerKubeconfig()
	// The default client limits make many pods come up slowly.
	limits := []string{"--kube-api-qps=500", "--kube-api-burst=1000", "--leader-elect=false", "--secure-port=0", "--profiling=false", config}
	err = n.procs.own("kube-controller-manager", append(limits,
		"--service-account-private-key-file="+pki("sa.key"), "--root-ca-file="+pki("ca.crt"),
		"--flex-volume-plugin-dir="+n.dir.Path("flexvolume"), // it is made, and should not be on the host
		"--enable-hostpath-provisioner=true")...)
	if err != nil {
		return err
	}
	if err := n.procs.own("kube-scheduler", limits...); err != nil {
		return err
	}
	return makeStorageClass(ctx, client)
}

// storageClass binds a claim at once to a folder of the state folder.
const storageClass = `{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass",
"metadata":{"name":"standard","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},
"provisioner":"kubernetes.io/host-path","volumeBindingMode":"Immediate","reclaimPolicy":"Delete","allowVolumeExpansion":true}`

func makeStorageClass(ctx context.Context, client *kube.Client) error {
	return client.Until(ctx, time.Minute, "the StorageClass is there", func(ctx context.Context) (bool, error) {
		code, err := client.Do(ctx, http.MethodPost, "/apis/storage.k8s.io/v1/storageclasses", []byte(storageClass), nil)
		switch code {
		case http.StatusCreated, http.StatusConflict:
			return true, nil
		default:
			return false, fmt.Errorf("create the StorageClass: status %d: %w", code, err)
		}
	})
}
