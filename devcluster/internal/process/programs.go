package process

import (
	"fmt"
	"os"
	"path/filepath"
)

// Program returns the path of a program beside the devcluster executable, where build.sh puts it.
func Program(name string) (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the program %s: %w", name, err)
	}
	path := filepath.Join(filepath.Dir(exe), name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("find the program %s: %w; build it with devcluster/build.sh%s", name, err, addOns[name])
	}
	return path, nil
}

// addOns are the words that make build.sh build the programs that few clusters need.
var addOns = map[string]string{"coredns": " dns", "traefik": " gateway", "metrics-server": " metrics"}
