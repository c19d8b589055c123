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

// Uplink is a node's network card: one end of a cable whose other end is on the bridge.
const Uplink = "eth0"

// connect waits until the node's card is plugged in, and gives it its address. All that is not the node's own goes to
// the control plane, which knows the way to every node.
func (i *instance) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		if _, err := net.InterfaceByName(Uplink); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the network card %s: %w", Uplink, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return Network(i.programs.Run,
		"link set lo up",
		"addr add "+i.IP().String()+"/24 dev "+Uplink,
		"link set "+Uplink+" up",
		"route add default via "+ControlPlaneIP)
}

// Network runs ip with each line's arguments, and lets the namespace forward packets.
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
		"conf/all/send_redirects": "0", // two nodes talk by way of the control plane
		"conf/all/rp_filter":      "0",
	} {
		if err := os.WriteFile("/proc/sys/net/ipv4/"+setting, []byte(value), 0); err != nil {
			return fmt.Errorf("set up the network: %w", err)
		}
	}
	return nil
}

// relayRegistry makes the registry reachable under the address by which images name it, which is a loopback one.
func relayRegistry(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("find the registry: %w", err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("relay the registry: %w", err)
	}
	go relay.Serve(l, net.JoinHostPort(ControlPlaneIP, port))
	return nil
}
