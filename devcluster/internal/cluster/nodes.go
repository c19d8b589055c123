package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"norn/devcluster/internal/node"
	"norn/devcluster/internal/process"
	"norn/devcluster/internal/state"
)

// bridge is the network bridge of the control plane and the nodes.
const bridge = "nodes0"

func (c *cluster) network() error {
	return node.Network(c.programs.Run,
		"link set lo up",
		"link add "+bridge+" type bridge",
		"addr add "+node.ControlPlaneIP+"/24 dev "+bridge,
		"link set "+bridge+" up",
		"route add default dev "+bridge) // without a default route, dials to other addresses would fail at once
}

// startNodes starts the first process of each node. The API server need not be ready.
func (c *cluster) startNodes() error {
	for _, n := range node.All(c.settings.Nodes) {
		component := process.Component{
			Name:    n.Name(),
			Path:    "/proc/self/exe",
			Args:    []string{node.InitCommand, n.Name(), "--dir", c.dir.Root},
			Log:     c.dir.Log(n.Name() + "/init"),
			Attr:    namespaces(),
			Allowed: func() { untilOn(c.dir, n) },
			Started: func(pid int) {
				if err := c.plug(n, pid); err != nil {
					log.Print(err)
				}
			},
		}
		if isOff(c.dir, n) {
			go func() {
				untilOn(c.dir, n)
				if err := c.programs.Keep(component); err != nil {
					log.Print(err)
				}
			}()
			continue
		}
		if err := c.programs.Keep(component); err != nil {
			return err
		}
	}
	return nil
}

// plug connects a node's namespace to the bridge by a veth pair; pid is the node's first process. The kernel deletes
// the pair of an earlier instance with its namespace, shortly after that instance has ended.
func (c *cluster) plug(n node.Node, pid int) error {
	ip, err := exec.LookPath("ip")
	if err != nil {
		return fmt.Errorf("connect %s to the network: %w", n.Name(), err)
	}
	run := func(line string) error { return c.programs.Run(nil, ip, strings.Fields(line)...) }
	port := "port" + strconv.Itoa(n.Index)
	add := fmt.Sprintf("link add %s master %s type veth peer name %s netns %d", port, bridge, node.Uplink, pid)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err = run(add); err == nil || time.Now().After(deadline) {
			break
		}
		_ = run("link delete " + port) // it may be gone
	}
	if err == nil {
		err = run("link set " + port + " up")
	}
	if err == nil {
		err = run("route replace " + n.PodSubnet() + " via " + n.IP().String())
	}
	if err != nil {
		return fmt.Errorf("connect %s to the network: %w", n.Name(), err)
	}
	return nil
}

// offFile returns the path of a file that exists while a node is stopped.
func offFile(d *state.Dir, n node.Node) string { return d.Path("nodes", n.Name(), "off") }

func isOff(d *state.Dir, n node.Node) bool {
	_, err := os.Stat(offFile(d, n))
	return !errors.Is(err, fs.ErrNotExist)
}

func untilOn(d *state.Dir, n node.Node) {
	for isOff(d, n) {
		time.Sleep(50 * time.Millisecond)
	}
}
