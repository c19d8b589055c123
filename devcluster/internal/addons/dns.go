package addons

import "path/filepath"

// DNS is the cluster DNS. Pods reach it at Config.DNSIP through kube-proxy.
var DNS = Addon{
	Name:    "dns",
	Program: "coredns",
	Args:    func(c Config) []string { return []string{"-conf", corefilePath(c)} },
	Files:   func(c Config) map[string]string { return map[string]string{corefilePath(c): Corefile(c)} },
	Objects: func(c Config) ([]byte, error) { return []byte(expand(dnsObjects, c, nil)), nil },
	Serves:  func(c Config) string { return "http://" + c.HostIP + ":8181/ready" },
	Ready: Check{
		Path:  "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns",
		Holds: anyBody,
	},
}

func corefilePath(c Config) string { return filepath.Join(c.Dir, "Corefile") }

// Corefile returns the configuration of CoreDNS: kubeadm's, but without an upstream and so without a cache. The plugin
// nxdomain comes from addons/dns.
func Corefile(c Config) string { return expand(corefile, c, nil) }

const corefile = `. {
	bind ${HOST_IP}
	errors
	ready ${HOST_IP}:8181
	kubernetes ${CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {
		kubeconfig ${KUBECONFIG}
		pods insecure
		fallthrough in-addr.arpa ip6.arpa
		ttl 30
	}
	loadbalance
	nxdomain
}
`

const dnsObjects = `apiVersion: v1
kind: Service
metadata:
  name: kube-dns
  namespace: kube-system
  labels: {k8s-app: kube-dns, kubernetes.io/name: CoreDNS}
spec:
  clusterIP: ${DNS_IP}
  ports:
  - {name: dns, port: 53, protocol: UDP}
  - {name: dns-tcp, port: 53, protocol: TCP}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: kube-dns
  namespace: kube-system
  labels: {kubernetes.io/service-name: kube-dns}
addressType: IPv4
endpoints:
- addresses: [${HOST_IP}]
  conditions: {ready: true}
ports:
- {name: dns, port: 53, protocol: UDP}
- {name: dns-tcp, port: 53, protocol: TCP}
`
