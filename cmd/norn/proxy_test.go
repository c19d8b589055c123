package main

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
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// apiProxy stands between norn and the devcluster's API server, so that a test sees each request and can do something about it.
type apiProxy struct {
	*httptest.Server
	Kubeconfig string // leads to the proxy
}

// newAPIProxy starts a proxy to the cluster that kubeconfig leads to; around wraps its handler. Its own kubeconfig goes into dir.
func newAPIProxy(kubeconfig, dir string, around func(http.Handler) http.Handler) (*apiProxy, error) {
	target, transport, err := clusterOf(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kubeconfig, err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = transport
	proxy.FlushInterval = -1 // watches and logs pass at once
	p := &apiProxy{httptest.NewServer(around(proxy)), filepath.Join(dir, "proxy.kubeconfig")}
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: proxy\ncontexts: [{name: proxy, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: %q}}]\n", p.URL)
	return p, os.WriteFile(p.Kubeconfig, []byte(text), 0o600)
}

// clusterOf reads the server's address and the credentials from the devcluster's kubeconfig.
func clusterOf(kubeconfig string) (*url.URL, *http.Transport, error) {
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
		return nil, nil, err
	}
	if len(conf.Clusters) != 1 || len(conf.Users) != 1 {
		return nil, nil, errors.New("want one cluster and one user")
	}
	var pems [3][]byte
	for i, text := range []string{conf.Clusters[0].Cluster.CA, conf.Users[0].User.Cert, conf.Users[0].User.Key} {
		if pems[i], err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, nil, err
		}
	}
	pair, err := tls.X509KeyPair(pems[1], pems[2])
	if err != nil {
		return nil, nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pems[0])
	target, err := url.Parse(conf.Clusters[0].Cluster.Server)
	return target, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}, ForceAttemptHTTP2: true}, err
}
