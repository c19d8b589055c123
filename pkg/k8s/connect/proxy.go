package connect

import (
	"fmt"
	"net/http"
	"net/url"
	"os"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// proxy is the proxy between norn and an API server.
type proxy struct {
	host    string // without port
	address string // without credentials
	setting string // what sets it
}

// proxyOf returns the proxy that client-go uses for conf, or nil.
func proxyOf(conf *rest.Config) *proxy {
	server, _, err := rest.DefaultServerUrlFor(conf)
	if err != nil {
		return nil
	}
	choose, setting := conf.Proxy, "proxy-url in the kubeconfig"
	if choose == nil { // net/http: ProxyFromEnvironment
		choose = utilnet.NewProxierWithNoProxyCIDR(http.ProxyFromEnvironment)
		setting = "HTTPS_PROXY"
		if server.Scheme == "http" {
			setting = "HTTP_PROXY"
		}
		if os.Getenv(setting) == "" {
			setting = map[string]string{"HTTPS_PROXY": "https_proxy", "HTTP_PROXY": "http_proxy"}[setting]
		}
	}
	address, err := choose(&http.Request{URL: server})
	if err != nil || address == nil {
		return nil
	}
	return &proxy{address.Hostname(), withoutCredentials(address.String()), setting}
}

// String returns the proxy for messages.
func (p *proxy) String() string { return fmt.Sprintf("proxy %s (%s)", p.address, p.setting) }

// checkProxy returns what is wrong with a cluster's proxy-url, or "". client-go's own error would quote it with its
// password.
func checkProxy(cluster *clientcmdapi.Cluster) string {
	if cluster.ProxyURL == "" {
		return ""
	}
	u, err := url.Parse(cluster.ProxyURL)
	switch {
	case err != nil:
		return fmt.Sprintf("has an invalid proxy-url %q", withoutCredentials(cluster.ProxyURL))
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5":
		return fmt.Sprintf("has a proxy-url with scheme %q, expected http, https or socks5", u.Scheme)
	}
	return ""
}
