// Package state manages the folder that contains all files of a devcluster.
package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Dir is a devcluster's state folder.
type Dir struct{ Root string }

// marker is a file that identifies a devcluster's folder. Wipe deletes nothing without it.
const marker = "devcluster"

// Open returns the folder path, or else $DEVCLUSTER_DIR, or else devcluster in the XDG state folder.
func Open(path string) (*Dir, error) {
	if path == "" {
		path = os.Getenv("DEVCLUSTER_DIR")
	}
	if path == "" {
		base := os.Getenv("XDG_STATE_HOME")
		if base == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return nil, fmt.Errorf("find the state folder: %w", err)
			}
			base = filepath.Join(home, ".local", "state")
		}
		path = filepath.Join(base, "devcluster")
	}
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the state folder: %w", err)
	}
	return &Dir{root}, nil
}

// covered are folders that the cluster's namespaces replace by their own, so the host's are not visible there.
var covered = []string{"/run/", "/var/run/", "/var/lib/", "/var/log/", "/proc/"}

// Make creates the folder. It is an error if the folder contains other files.
func (d *Dir) Make() error {
	for _, c := range covered {
		if strings.HasPrefix(d.Root+"/", c) {
			return fmt.Errorf("the state folder must not be below %s; choose another with --dir", c)
		}
	}
	entries, err := os.ReadDir(d.Root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the state folder: %w", err)
	}
	if len(entries) > 0 && !d.Exists() {
		return fmt.Errorf("%s is not empty and not a devcluster's folder; choose another with --dir", d.Root)
	}
	if err := os.MkdirAll(d.Root, 0o755); err != nil {
		return fmt.Errorf("create the state folder: %w", err)
	}
	if err := WriteFile(d.Path(marker), []byte("This folder contains the state of a devcluster.\n"), 0o644); err != nil {
		return fmt.Errorf("create the state folder: %w", err)
	}
	return os.MkdirAll(d.Path("log"), 0o755)
}

// Exists reports whether the folder is a devcluster's folder.
func (d *Dir) Exists() bool {
	_, err := os.Stat(d.Path(marker))
	return err == nil
}

// Wipe deletes the folder. It is an error if the folder is not a devcluster's.
func (d *Dir) Wipe() error {
	if _, err := os.Stat(d.Root); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !d.Exists() {
		return fmt.Errorf("%s is not a devcluster's folder and was not deleted", d.Root)
	}
	return os.RemoveAll(d.Root)
}

// Path returns a path in the folder.
func (d *Dir) Path(names ...string) string {
	return filepath.Join(append([]string{d.Root}, names...)...)
}

// Kubeconfig returns the path of the admin's kubeconfig for use on the host.
func (d *Dir) Kubeconfig() string { return d.Path("kubeconfig") }

// InnerKubeconfig returns the path of the admin's kubeconfig for the components inside.
func (d *Dir) InnerKubeconfig() string { return d.Path("pki", "inner.kubeconfig") }

// Log returns the path of a log: of COMPONENT for the control plane, or of NODE/COMPONENT.
func (d *Dir) Log(component string) string { return d.Path("log", component+".log") }

// Name returns a name for cgroups that is unique on the machine.
func (d *Dir) Name() string {
	sum := sha256.Sum256([]byte(d.Root))
	return "devcluster-" + hex.EncodeToString(sum[:4])
}

// Info describes a running devcluster to its users.
type Info struct {
	Kubeconfig     string `json:"kubeconfig"`
	Registry       string `json:"registry"`             // host:port
	Gateway        string `json:"gateway,omitempty"`    // host:port, for HTTP by host name
	GatewayTLS     string `json:"gatewayTLS,omitempty"` // host:port, for HTTPS by host name
	APIPort        int    `json:"apiPort"`
	RegistryPort   int    `json:"registryPort"`
	GatewayPort    int    `json:"gatewayPort,omitempty"`
	GatewayTLSPort int    `json:"gatewayTLSPort,omitempty"`
}

const infoFile = "info.json"

// Info returns the Info of the last start, or the zero Info.
func (d *Dir) Info() Info {
	var i Info
	data, err := os.ReadFile(d.Path(infoFile))
	if err != nil || json.Unmarshal(data, &i) != nil {
		return Info{}
	}
	return i
}

// Started returns the time of the last start, truncated to a second.
func (d *Dir) Started() time.Time {
	st, err := os.Stat(d.Path(infoFile))
	if err != nil {
		return time.Time{}
	}
	return st.ModTime().Truncate(time.Second)
}

// SetPorts completes i from its ports and stores it.
func (d *Dir) SetPorts(i Info) (Info, error) {
	i.Kubeconfig, i.Registry = d.Kubeconfig(), loopback(i.RegistryPort)
	if i.GatewayPort != 0 {
		i.Gateway, i.GatewayTLS = loopback(i.GatewayPort), loopback(i.GatewayTLSPort)
	}
	data, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return i, err
	}
	return i, WriteFile(d.Path(infoFile), append(data, '\n'), 0o644)
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// WriteFile replaces a file atomically, by renaming a temporary file.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
