package cluster

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"norn/devcluster/internal/addons"
	"norn/devcluster/internal/kube"
	"norn/devcluster/internal/node"
	"norn/devcluster/internal/process"
	"norn/devcluster/internal/state"
)

// AddOns returns the add-ons in the settings.
func AddOns(s state.Settings) []addons.Addon {
	var all []addons.Addon
	for _, a := range []struct {
		wanted bool
		addon  addons.Addon
	}{{s.DNS, addons.DNS}, {s.Gateway, addons.Gateway}, {s.Metrics, addons.Metrics}} {
		if a.wanted {
			all = append(all, a.addon)
		}
	}
	return all
}

// AddOnConfig describes the cluster in d to its add-ons.
func AddOnConfig(d *state.Dir) (addons.Config, error) {
	programs, err := process.Folder()
	if err != nil {
		return addons.Config{}, err
	}
	return addons.Config{
		Dir: d.Path("addons"), PKI: d.Path("pki"), Kubeconfig: d.InnerKubeconfig(),
		CRDs:   filepath.Join(programs, "gateway-api"),
		HostIP: node.ControlPlaneIP, ClusterDomain: "cluster.local", DNSIP: node.DNSServiceIP,
		HTTPPort: 80, HTTPSPort: 443,
	}, nil
}

// startAddOns starts the add-ons and creates their objects.
func (c *cluster) startAddOns(ctx context.Context) error {
	config, err := AddOnConfig(c.dir)
	if err != nil {
		return err
	}
	if c.settings.Gateway {
		for fd, port := range map[uintptr]int{gatewayFD: config.HTTPPort, gatewayTLSFD: config.HTTPSPort} {
			if err := serveSocket(fd, fmt.Sprintf("%s:%d", config.HostIP, port)); err != nil {
				return err
			}
		}
	}
	for _, a := range AddOns(c.settings) {
		if err := c.startAddOn(ctx, a, config); err != nil {
			return fmt.Errorf("start the add-on %s: %w", a.Name, err)
		}
	}
	return nil
}

func (c *cluster) startAddOn(ctx context.Context, a addons.Addon, config addons.Config) error {
	for path, text := range a.Files(config) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := state.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	path, err := process.Program(a.Program)
	if err != nil {
		return err
	}
	program := process.Component{Name: a.Program, Path: path, Args: a.Args(config), Log: c.dir.Log(a.Program)}
	if a.Serves == nil {
		if err := c.applyAddOn(ctx, a, config); err != nil {
			return err
		}
		return c.programs.Keep(program)
	}
	if err := c.programs.Keep(program); err != nil {
		return err
	}
	if err := kube.Until(ctx, time.Minute, a.Program+" answers", func(ctx context.Context) (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Serves(config), nil)
		if err != nil {
			return false, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, err
		}
		return resp.StatusCode == http.StatusOK, resp.Body.Close()
	}); err != nil {
		return err
	}
	return c.applyAddOn(ctx, a, config)
}

func (c *cluster) applyAddOn(ctx context.Context, a addons.Addon, config addons.Config) error {
	documents, err := a.Objects(config)
	if err != nil {
		return err
	}
	objects, err := addons.Split(documents)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := kube.Until(ctx, time.Minute, o.Path+" is applied", func(ctx context.Context) (bool, error) {
			code, err := c.client.Apply(ctx, o.Path, o.YAML)
			return code == http.StatusOK || code == http.StatusCreated, err // 404 until the API server serves a new definition
		}); err != nil {
			return err
		}
	}
	return nil
}
