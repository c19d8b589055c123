package state

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// The ports on 127.0.0.1 that are tried first.
const (
	defaultAPIPort        = 26443
	defaultRegistryPort   = 25000
	defaultGatewayPort    = 28080
	defaultGatewayTLSPort = 28443
	portsTried            = 200
)

// Listeners are a devcluster's open sockets on the host, which the supervisor inherits.
type Listeners struct {
	API, Registry       *os.File
	Gateway, GatewayTLS *os.File // nil without a gateway
	Info                Info
}

// Listen opens the ports of the last start, or the default ports, or the next free ports.
func (d *Dir) Listen(gateway bool) (*Listeners, error) {
	l := &Listeners{}
	last := d.Info()
	sockets := []struct {
		file           **os.File
		port           *int
		last, fallback int
	}{
		{&l.API, &l.Info.APIPort, last.APIPort, defaultAPIPort},
		{&l.Registry, &l.Info.RegistryPort, last.RegistryPort, defaultRegistryPort},
		{&l.Gateway, &l.Info.GatewayPort, last.GatewayPort, defaultGatewayPort},
		{&l.GatewayTLS, &l.Info.GatewayTLSPort, last.GatewayTLSPort, defaultGatewayTLSPort},
	}
	if !gateway {
		sockets = sockets[:2]
	}
	for _, s := range sockets {
		var err error
		if *s.file, *s.port, err = listen(s.last, s.fallback); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	info, err := d.SetPorts(l.Info)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store the ports: %w", err), l.Close())
	}
	l.Info = info
	return l, nil
}

// Files returns the open sockets, in the order of the fields.
func (l *Listeners) Files() []*os.File {
	var files []*os.File
	for _, f := range []*os.File{l.API, l.Registry, l.Gateway, l.GatewayTLS} {
		if f != nil {
			files = append(files, f)
		}
	}
	return files
}

// Close closes this process's share of the sockets.
func (l *Listeners) Close() error {
	var errs []error
	for _, f := range l.Files() {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

func listen(last, fallback int) (*os.File, int, error) {
	if last == 0 {
		last = fallback
	}
	var lastErr error
	for port := last; port < last+portsTried; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			lastErr = err
			continue
		}
		f, err := l.(*net.TCPListener).File()
		_ = l.Close() // f keeps the socket open
		return f, port, err
	}
	return nil, 0, fmt.Errorf("find a free port from %d on: %w", last, lastErr)
}
