package state

import (
	"fmt"
	"net"
	"os"
)

// The ports on 127.0.0.1 that are tried first.
const (
	defaultAPIPort      = 26443
	defaultRegistryPort = 25000
	portsTried          = 200
)

// Listeners are the two sockets a devcluster has on the host, open and ready to be handed to the supervisor.
type Listeners struct {
	API, Registry *os.File
	Info          Info
}

// Listen opens the ports of the last time, or the default ones, or the next that are free.
func (d *Dir) Listen() (*Listeners, error) {
	last := d.Info()
	api, apiPort, err := listen(last.APIPort, defaultAPIPort)
	if err != nil {
		return nil, err
	}
	registry, registryPort, err := listen(last.RegistryPort, defaultRegistryPort)
	if err != nil {
		return nil, err
	}
	info, err := d.SetPorts(apiPort, registryPort)
	if err != nil {
		return nil, fmt.Errorf("write the ports down: %w", err)
	}
	return &Listeners{api, registry, info}, nil
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
