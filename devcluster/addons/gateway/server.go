package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/runtime"
	"github.com/traefik/traefik/v3/pkg/config/static"
	"github.com/traefik/traefik/v3/pkg/middlewares/accesslog"
	"github.com/traefik/traefik/v3/pkg/observability/metrics"
	"github.com/traefik/traefik/v3/pkg/provider/aggregator"
	"github.com/traefik/traefik/v3/pkg/provider/traefik"
	"github.com/traefik/traefik/v3/pkg/proxy/httputil"
	"github.com/traefik/traefik/v3/pkg/safe"
	"github.com/traefik/traefik/v3/pkg/server"
	"github.com/traefik/traefik/v3/pkg/server/middleware"
	"github.com/traefik/traefik/v3/pkg/server/service"
	"github.com/traefik/traefik/v3/pkg/tcp"
	traefiktls "github.com/traefik/traefik/v3/pkg/tls"
)

// newServer connects Traefik's parts: the providers send configurations to the watcher, which calls its listeners in
// turn with each.
func newServer(conf *static.Configuration) (*server.Server, error) {
	ctx := context.Background()
	pool := safe.NewPool(ctx)
	providers := aggregator.NewProviderAggregator(*conf.Providers)
	if err := providers.AddProvider(traefik.New(*conf)); err != nil {
		return nil, fmt.Errorf("add the internal provider: %w", err)
	}
	certificates := traefiktls.NewManager(conf.OCSP)
	pool.GoCtx(certificates.Run)

	noMetrics := metrics.NewVoidRegistry()
	var accessLog *accesslog.Handler
	if conf.AccessLog != nil {
		var err error
		if accessLog, err = accesslog.NewHandler(ctx, conf.AccessLog); err != nil {
			return nil, fmt.Errorf("open the access log: %w", err)
		}
	}
	observer := middleware.NewObservabilityMgr(*conf, noMetrics, nil, accessLog, nil, nil)

	tcpEntries, err := server.NewTCPEntryPoints(conf.EntryPoints, conf.HostResolver, noMetrics)
	if err != nil {
		return nil, fmt.Errorf("open the TCP entry points: %w", err)
	}
	udpEntries, err := server.NewUDPEntryPoints(conf.EntryPoints)
	if err != nil {
		return nil, fmt.Errorf("open the UDP entry points: %w", err)
	}
	transports := service.NewTransportManager(nil)
	proxies := httputil.NewProxyBuilder(transports, nil)
	dialers := tcp.NewDialerManager(nil)
	services := service.NewManagerFactory(*conf, pool, observer, transports, proxies, nil, certificates)
	routers, err := server.NewRouterFactory(*conf, services, certificates, observer, nil, dialers)
	if err != nil {
		return nil, fmt.Errorf("make the routers: %w", err)
	}

	watcher := server.NewConfigurationWatcher(pool, providers, entryPoints(conf), "internal", false)
	watcher.AddListener(func(c dynamic.Configuration) {
		certificates.UpdateConfigs(ctx, c.TLS.Stores, c.TLS.Options, c.TLS.Certificates)
	})
	watcher.AddListener(func(c dynamic.Configuration) {
		transports.Update(c.HTTP.ServersTransports)
		proxies.Update(c.HTTP.ServersTransports)
		dialers.Update(c.TCP.ServersTransports)
	})
	watcher.AddListener(func(c dynamic.Configuration) {
		tcpRouters, udpRouters := routers.CreateRouters(runtime.NewConfig(c))
		tcpEntries.Switch(tcpRouters)
		udpEntries.Switch(udpRouters)
	})
	return server.NewServer(pool, tcpEntries, udpEntries, watcher, observer), nil
}

// entryPoints returns the entry points for routes that name none.
func entryPoints(conf *static.Configuration) (names []string) {
	for name, entry := range conf.EntryPoints {
		protocol, err := entry.GetProtocol()
		if err == nil && protocol == "tcp" && name != static.DefaultInternalEntryPointName {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
