package process

import (
	"fmt"
	"os"
	"path/filepath"
)

// Folder returns the folder of the devcluster executable. build.sh puts all programs there.
func Folder() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the devcluster's programs: %w", err)
	}
	return filepath.Dir(exe), nil
}

// Program returns the path of a program in the Folder.
func Program(name string) (string, error) {
	folder, err := Folder()
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("find the program %s: %w; build it with devcluster/build.sh%s", name, err, addOns[name])
	}
	return path, nil
}

// addOns are the arguments of build.sh for optional programs.
var addOns = map[string]string{"coredns": " dns", "traefik": " gateway", "metrics-server": " metrics"}
