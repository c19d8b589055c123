package addons

import (
	"encoding/base64"
	"fmt"
	"os"
)

// Metrics is the metrics server. The API server passes requests on to it at Config.HostIP. For that, the API server
// needs a front-proxy CA, a client certificate of that CA, and --enable-aggregator-routing.
//
// The server's certificate is metrics-server.crt in Config.PKI, for the name metrics-server.kube-system.svc.
var Metrics = Addon{
	Name:    "metrics",
	Program: "metrics-server",
	Args:    MetricsArgs,
	Files:   noFiles,
	Objects: metricsObjects,
	Ready: Check{
		// The API, not its content: the first figures take two scrapes.
		Path:  "/apis/metrics.k8s.io/v1beta1",
		Holds: anyBody,
	},
}

// MetricsArgs returns the command line of the metrics server.
func MetricsArgs(c Config) []string {
	return []string{
		"--kubeconfig=" + c.Kubeconfig,
		"--authentication-kubeconfig=" + c.Kubeconfig,
		"--authorization-kubeconfig=" + c.Kubeconfig,
		"--bind-address=" + c.HostIP, "--secure-port=4443",
		"--tls-cert-file=" + c.pki("metrics-server.crt"), "--tls-private-key-file=" + c.pki("metrics-server.key"),
		"--kubelet-certificate-authority=" + c.pki("ca.crt"),
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-request-timeout=5s",
		"--metric-resolution=10s", // the shortest that it accepts
	}
}

func metricsObjects(c Config) ([]byte, error) {
	ca, err := os.ReadFile(c.pki("ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the CA: %w", err)
	}
	return []byte(expand(metricsYAML, c, map[string]string{"CA": base64.StdEncoding.EncodeToString(ca)})), nil
}

const metricsYAML = `apiVersion: v1
kind: Service
metadata:
  name: metrics-server
  namespace: kube-system
  labels: {k8s-app: metrics-server}
spec:
  ports:
  - {name: https, port: 443, targetPort: 4443, protocol: TCP}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: metrics-server
  namespace: kube-system
  labels: {kubernetes.io/service-name: metrics-server}
addressType: IPv4
endpoints:
- addresses: [${HOST_IP}]
  conditions: {ready: true}
ports:
- {name: https, port: 4443, protocol: TCP}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata:
  name: v1beta1.metrics.k8s.io
spec:
  group: metrics.k8s.io
  version: v1beta1
  service: {name: metrics-server, namespace: kube-system, port: 443}
  caBundle: ${CA}
  groupPriorityMinimum: 100
  versionPriority: 100
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: system:aggregated-metrics-reader
  labels:
    rbac.authorization.k8s.io/aggregate-to-view: "true"
    rbac.authorization.k8s.io/aggregate-to-edit: "true"
    rbac.authorization.k8s.io/aggregate-to-admin: "true"
rules:
- apiGroups: [metrics.k8s.io]
  resources: [pods, nodes]
  verbs: [get, list, watch]
`
