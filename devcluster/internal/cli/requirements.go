package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"norn/devcluster/internal/node"
)

// ownCluster is the way out where a devcluster cannot run.
const ownCluster = "or use a cluster of your own: make demo CONTEXT=<its kubeconfig context>"

// requirements says everything that is missing here, and what to do about each.
func requirements() error {
	var missing []error
	if runtime.GOOS != "linux" {
		missing = append(missing, fmt.Errorf("a devcluster runs on Linux only, this is %s", runtime.GOOS))
	}
	if os.Geteuid() != 0 {
		missing = append(missing, errors.New("a devcluster needs root (it makes namespaces, mounts and cgroups): run it with sudo"))
	}
	for _, p := range []struct{ program, pkg string }{{"containerd", "containerd"}, {"runc", "runc"}, {"ip", "iproute2"}, {"nft", "nftables"}} {
		if _, err := exec.LookPath(p.program); err != nil {
			missing = append(missing, fmt.Errorf("%s is not installed: apt-get install -y --no-install-recommends %s", p.program, p.pkg))
		}
	}
	if _, err := os.Stat(filepath.Join(node.CNIDir, "bridge")); err != nil {
		missing = append(missing, errors.New("the CNI plugins are not installed: apt-get install -y --no-install-recommends containernetworking-plugins"))
	}
	if len(missing) == 0 {
		return nil
	}
	return errors.Join(append(missing, errors.New(ownCluster))...)
}
