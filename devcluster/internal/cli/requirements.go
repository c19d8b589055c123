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

// ownCluster is the alternative if a devcluster cannot run.
const ownCluster = "or use your own cluster: make demo CONTEXT=<kubeconfig context>"

// requirements returns an error that lists everything that is missing on this machine, with the next steps.
func requirements() error {
	var missing []error
	if runtime.GOOS != "linux" {
		missing = append(missing, fmt.Errorf("a devcluster runs only on Linux, not on %s", runtime.GOOS))
	}
	if os.Geteuid() != 0 {
		missing = append(missing,
			errors.New("a devcluster needs root to create namespaces, mounts and cgroups: run it with sudo"))
	}
	const install = "apt-get install -y --no-install-recommends "
	for _, p := range []struct{ program, pkg string }{
		{"containerd", "containerd"}, {"runc", "runc"}, {"ip", "iproute2"}, {"nft", "nftables"},
	} {
		if _, err := exec.LookPath(p.program); err != nil {
			missing = append(missing, fmt.Errorf("%s is not installed: %s", p.program, install+p.pkg))
		}
	}
	if _, err := os.Stat(filepath.Join(node.CNIDir, "bridge")); err != nil {
		missing = append(missing,
			errors.New("the CNI plugins are not installed: "+install+"containernetworking-plugins"))
	}
	if len(missing) == 0 {
		return nil
	}
	return errors.Join(append(missing, errors.New(ownCluster))...)
}
