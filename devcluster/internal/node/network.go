package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"norn/devcluster/internal/relay"
)

// Uplink is a node's network interface: one end of a veth pair whose other end is on the bridge.
const Uplink = "eth0"

// connect waits for the node's interface and configures it. The default route leads to the control plane, which has
// routes to all nodes.
func (i *instance) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		if _, err := net.InterfaceByName(Uplink); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the network interface %s: %w", Uplink, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return Network(i.programs.Run,
		"link set lo up",
		"addr add "+i.IP().String()+"/24 dev "+Uplink,
		"link set "+Uplink+" up",
		"route add default via "+ControlPlaneIP)
}

// Network runs ip with the arguments in each line, and enables forwarding in the namespace.
func Network(run func(input []byte, path string, args ...string) error, lines ...string) error {
	ip, err := exec.LookPath("ip")
	if err != nil {
		return fmt.Errorf("set up the network: %w", err)
	}
	for _, line := range lines {
		if err := run(nil, ip, strings.Fields(line)...); err != nil {
			return fmt.Errorf("set up the network: %w", err)
		}
	}
	for setting, value := range map[string]string{
		"ip_forward":              "1",
		"conf/all/send_redirects": "0", // traffic between nodes passes the control plane
		"conf/all/rp_filter":      "0",
	} {
		if err := os.WriteFile("/proc/sys/net/ipv4/"+setting, []byte(value), 0); err != nil {
			return fmt.Errorf("set up the network: %w", err)
		}
	}
	return nil
}

// relayRegistry makes the registry reachable at its address in image references, which is a loopback address.
func relayRegistry(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("parse the registry's address: %w", err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("relay the registry: %w", err)
	}
	go relay.Serve(l, net.JoinHostPort(ControlPlaneIP, port))
	return nil
}
