package bed

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"

	"gopkg.in/yaml.v3"
)

// APIProxy is a proxy between norn and the API server. A test sees each request and can interfere with it.
type APIProxy struct {
	*httptest.Server
	Kubeconfig string // path of a kubeconfig for the proxy
}

// NewAPIProxy starts a proxy to the cluster of kubeconfig, and writes a kubeconfig for the proxy to dir. around wraps
// the proxy's handler.
func NewAPIProxy(kubeconfig, dir string, around func(http.Handler) http.Handler) (*APIProxy, error) {
	target, transport, err := API(kubeconfig)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(dir, "proxy-*.kubeconfig")
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = transport
	proxy.FlushInterval = -1 // do not buffer watches and logs
	p := &APIProxy{httptest.NewServer(around(proxy)), file.Name()}
	_, err = fmt.Fprintf(file, proxyKubeconfig, p.URL)
	return p, err
}

const proxyKubeconfig = `apiVersion: v1
kind: Config
current-context: proxy
contexts: [{name: proxy, context: {cluster: c}}]
clusters: [{name: c, cluster: {server: %q}}]
`

// Writes reports whether a request is a write. Permission reviews do not count.
func Writes(r *http.Request) bool {
	return r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/authorization.k8s.io/")
}

// Changes reports whether a request changes what a run leaves behind: a dry run does not, and neither does the renewal
// of a lock, which is more frequent on a slow machine.
func Changes(r *http.Request) bool {
	renewal := r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/leases/")
	return Writes(r) && !r.URL.Query().Has("dryRun") && !renewal
}

// Discard is the ResponseWriter for a request whose sender is killed before it reads the response.
type Discard struct{}

// Header implements http.ResponseWriter.
func (Discard) Header() http.Header { return http.Header{} }

// Write implements http.ResponseWriter.
func (Discard) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (Discard) WriteHeader(int) {}

// API returns the API server's address and a transport with the credentials of a devcluster's kubeconfig.
func API(kubeconfig string) (*url.URL, *http.Transport, error) {
	data, err := os.ReadFile(kubeconfig)
	if err != nil {
		return nil, nil, err
	}
	var conf struct {
		Clusters []struct {
			Cluster struct {
				Server string `yaml:"server"`
				CA     string `yaml:"certificate-authority-data"`
			} `yaml:"cluster"`
		} `yaml:"clusters"`
		Users []struct {
			User struct {
				Cert string `yaml:"client-certificate-data"`
				Key  string `yaml:"client-key-data"`
			} `yaml:"user"`
		} `yaml:"users"`
	}
	if err := yaml.Unmarshal(data, &conf); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", kubeconfig, err)
	}
	if len(conf.Clusters) != 1 || len(conf.Users) != 1 {
		return nil, nil, errors.New(kubeconfig + " does not contain exactly one cluster and one user")
	}
	var pems [3][]byte
	for i, text := range []string{conf.Clusters[0].Cluster.CA, conf.Users[0].User.Cert, conf.Users[0].User.Key} {
		if pems[i], err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", kubeconfig, err)
		}
	}
	pair, err := tls.X509KeyPair(pems[1], pems[2])
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", kubeconfig, err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pems[0])
	target, err := url.Parse(conf.Clusters[0].Cluster.Server)
	config := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	return target, &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}, err
}
