package addons

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Gateway is Traefik, as the Gateway public in namespace edge and as the IngressClass traefik. Its certificate is
// gateway.crt and gateway.key of Config.PKI.
var Gateway = Addon{
	Name:    "gateway",
	Program: "traefik",
	Args:    TraefikArgs,
	Files:   noFiles,
	Objects: gatewayObjects,
	Ready: Check{
		Path:  "/apis/gateway.networking.k8s.io/v1/namespaces/edge/gateways/public",
		Holds: programmed,
	},
}

// TraefikArgs returns Traefik's static configuration. It leaves the pause between two changes of the routes at the
// default of 2 s, as users' clusters have it.
func TraefikArgs(c Config) []string {
	return []string{
		"--kubeconfig=" + c.Kubeconfig, // a flag of addons/gateway, not of Traefik
		fmt.Sprintf("--entrypoints.web.address=%s:%d", c.HostIP, c.HTTPPort),
		fmt.Sprintf("--entrypoints.websecure.address=%s:%d", c.HostIP, c.HTTPSPort),
		"--entrypoints.websecure.http.tls=true", // for Ingresses too
		"--providers.kubernetesgateway=true",
		"--providers.kubernetesgateway.statusaddress.ip=" + c.HostIP,
		"--providers.kubernetesingress=true",
		"--providers.kubernetesingress.ingressclass=traefik",
		"--providers.kubernetesingress.ingressendpoint.ip=" + c.HostIP,
	}
}

func gatewayObjects(c Config) ([]byte, error) {
	crds, err := definitions(c.CRDs)
	if err != nil {
		return nil, err
	}
	cert, err := os.ReadFile(c.pki("gateway.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the gateway's certificate: %w", err)
	}
	key, err := os.ReadFile(c.pki("gateway.key"))
	if err != nil {
		return nil, fmt.Errorf("read the gateway's key: %w", err)
	}
	return []byte(crds + expand(gatewayYAML, c, map[string]string{
		"CERT": base64.StdEncoding.EncodeToString(cert),
		"KEY":  base64.StdEncoding.EncodeToString(key),
	})), nil
}

// definitions returns the YAML files of a folder as one text that ends with a separator.
func definitions(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml")) // sorted
	if err != nil {
		return "", fmt.Errorf("find the Gateway API's definitions: %w", err)
	}
	if len(files) == 0 {
		return "", fmt.Errorf("no definitions of the Gateway API in %q", dir)
	}
	var all strings.Builder
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return "", fmt.Errorf("read the Gateway API's definitions: %w", err)
		}
		all.WriteString(strings.TrimSpace(string(data)) + separator)
	}
	return all.String(), nil
}

// programmed reports whether a Gateway has the condition Programmed.
func programmed(gateway []byte) bool {
	var g struct {
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if json.Unmarshal(gateway, &g) != nil {
		return false
	}
	for _, c := range g.Status.Conditions {
		if c.Type == "Programmed" {
			return c.Status == "True"
		}
	}
	return false
}

const gatewayYAML = `apiVersion: v1
kind: Namespace
metadata:
  name: edge
---
apiVersion: v1
kind: Secret
metadata:
  name: public-tls
  namespace: edge
type: kubernetes.io/tls
data:
  tls.crt: ${CERT}
  tls.key: ${KEY}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata:
  name: traefik
spec:
  controllerName: traefik.io/gateway-controller
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: public
  namespace: edge
spec:
  gatewayClassName: traefik
  listeners:
  - name: http
    port: ${HTTP_PORT}
    protocol: HTTP
    allowedRoutes: {namespaces: {from: All}}
  - name: https
    port: ${HTTPS_PORT}
    protocol: HTTPS
    tls: {mode: Terminate, certificateRefs: [{name: public-tls}]}
    allowedRoutes: {namespaces: {from: All}}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: traefik
spec:
  controller: traefik.io/ingress-controller
`
