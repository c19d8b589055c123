package main

import (
	"context"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

const pluginName = "nxdomain"

func init() {
	plugin.Register(pluginName, func(c *caddy.Controller) error {
		dnsserver.GetConfig(c).AddPlugin(func(plugin.Handler) plugin.Handler { return nxdomain{} })
		return nil
	})
}

// nxdomain answers every question with NXDOMAIN. The devcluster has no upstream DNS, and on CoreDNS's own answer,
// REFUSED, resolvers ask again or report a broken server.
type nxdomain struct{}

// Name returns the plugin's name in a Corefile.
func (nxdomain) Name() string { return pluginName }

// Ready reports true, because the plugin waits for nothing.
func (nxdomain) Ready() bool { return true }

// ServeDNS answers NXDOMAIN with an SOA record of the root zone, so that resolvers may cache the answer.
func (nxdomain) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	m := new(dns.Msg)
	m.SetRcode(r, dns.RcodeNameError)
	m.Authoritative = true
	m.Ns = []dns.RR{&dns.SOA{
		Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
		Ns:  "devcluster.", Mbox: "devcluster.", Serial: 1, Refresh: 3600, Retry: 3600, Expire: 3600, Minttl: ttl,
	}}
	return dns.RcodeNameError, w.WriteMsg(m)
}

const ttl = 5 // seconds
