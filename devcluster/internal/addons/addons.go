// Package addons describes optional programs of a devcluster: a cluster DNS, a Gateway with an Ingress controller, and
// a metrics server. It starts nothing: it returns command lines, files and objects for a Config.
package addons

import (
	"os"
	"path/filepath"
	"strconv"
)

// Config describes the cluster to its add-ons.
type Config struct {
	Dir           string // folder for the add-ons' files
	PKI           string // folder of the certificates
	Kubeconfig    string // path to the admin's kubeconfig
	CRDs          string // folder of the Gateway API's definitions, as addons/gateway/files.sh fills it
	HostIP        string // address that the add-ons listen on
	ClusterDomain string // domain of the Services' names
	DNSIP         string // Service address of the cluster DNS
	HTTPPort      int    // port of the Gateway and of Ingresses
	HTTPSPort     int    // the same with TLS
}

// Addon is a program with its objects.
type Addon struct {
	Name    string
	Program string                         // file name of the program
	Args    func(Config) []string          // its command line
	Files   func(Config) map[string]string // files that it reads, by path
	Objects func(Config) ([]byte, error)   // YAML documents to apply in this order; see Split
	Serves  func(Config) string            // URL that answers 200 before Objects are applied; nil if they come first
	Ready   Check
}

// Check tells whether an add-on is ready: the API server answers a GET of Path with 200, and Holds accepts the body.
type Check struct {
	Path  string
	Holds func(body []byte) bool
}

func anyBody([]byte) bool { return true }

func noFiles(Config) map[string]string { return nil }

func (c Config) pki(file string) string { return filepath.Join(c.PKI, file) }

// expand replaces each ${NAME} in text. It avoids text/template, which keeps the linker from dropping unused methods
// of the whole binary.
func expand(text string, c Config, more map[string]string) string {
	values := map[string]string{
		"HOST_IP":        c.HostIP,
		"KUBECONFIG":     c.Kubeconfig,
		"CLUSTER_DOMAIN": c.ClusterDomain,
		"DNS_IP":         c.DNSIP,
		"HTTP_PORT":      strconv.Itoa(c.HTTPPort),
		"HTTPS_PORT":     strconv.Itoa(c.HTTPSPort),
	}
	for name, value := range more {
		values[name] = value
	}
	return os.Expand(text, func(name string) string { return values[name] })
}
