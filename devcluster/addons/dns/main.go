// Command coredns is the devcluster's cluster DNS: CoreDNS with the few plugins that its Corefile names.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/ready"
)

func main() {
	// CoreDNS calls plugins in the order of this list: ours is last and answers what no other plugin answers.
	dnsserver.Directives = append(dnsserver.Directives, pluginName)
	coremain.Run()
}
