package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"norn/devcluster/internal/cluster"
	"norn/devcluster/internal/kube"
	"norn/devcluster/internal/node"
	"norn/devcluster/internal/pki"
	"norn/devcluster/internal/state"
)

func upCmd(dir dirFunc) *cobra.Command {
	var asJSON bool
	var wanted settingsFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the cluster and wait until it is ready",
		Long: `Starts the cluster and returns when it is ready. Does nothing if it is already running.

A new cluster has one node. The flags are stored in the cluster's folder: the next up without flags starts the same
cluster again.`,
		Example: `  devcluster up
  devcluster up --nodes 3 --dns --label node-2:disk=ssd --taint node-3:gpu=yes:NoSchedule
  devcluster up --control-plane --dir /tmp/api`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			if err := requirements(); err != nil {
				return err
			}
			if err := up(cmd.Context(), cmd.ErrOrStderr(), d, func(s state.Settings) (state.Settings, error) {
				return wanted.over(cmd.Flags(), s)
			}); err != nil {
				return err
			}
			return show(cmd.OutOrStdout(), d.Info(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "machine-readable output")
	wanted.add(cmd)
	return cmd
}

// settingsFlags are the flags for a cluster's settings.
type settingsFlags struct {
	nodes                 int
	controlPlane          bool
	hollow, label, taint  []string
	dns, gateway, metrics bool
}

func (f *settingsFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&f.nodes, "nodes", 1, "number of nodes")
	flags.BoolVar(&f.controlPlane, "control-plane", false, "control plane without nodes")
	flags.StringSliceVar(&f.hollow, "hollow", nil, "architectures of hollow nodes, which run nothing, such as arm64")
	flags.StringArrayVar(&f.label, "label", nil, "label of a node: NODE:KEY=VALUE (repeatable)")
	flags.StringArrayVar(&f.taint, "taint", nil, "taint of a node: NODE:KEY=VALUE:EFFECT (repeatable)")
	flags.BoolVar(&f.dns, "dns", false, "cluster DNS")
	flags.BoolVar(&f.gateway, "gateway", false, "Gateway API and Ingress controller")
	flags.BoolVar(&f.metrics, "metrics", false, "metrics API")
	cmd.MarkFlagsMutuallyExclusive("control-plane", "nodes")
}

// over returns s with the given flags applied.
func (f *settingsFlags) over(given *pflag.FlagSet, s state.Settings) (state.Settings, error) {
	if given.Changed("nodes") {
		s.Nodes = f.nodes
	}
	if given.Changed("control-plane") {
		s.Nodes = 1
		if f.controlPlane {
			s.Nodes = 0
		}
	}
	if given.Changed("hollow") {
		s.Hollow = f.hollow
	}
	for name, field := range map[string]*bool{"dns": &s.DNS, "gateway": &s.Gateway, "metrics": &s.Metrics} {
		if given.Changed(name) {
			*field, _ = given.GetBool(name) // the flag exists and is a bool
		}
	}
	if given.Changed("label") {
		s.Labels = map[string]map[string]string{}
		for _, text := range f.label {
			name, key, value, err := cluster.ParseLabel(text)
			if err != nil {
				return s, err
			}
			if s.Labels[name] == nil {
				s.Labels[name] = map[string]string{}
			}
			s.Labels[name][key] = value
		}
	}
	if given.Changed("taint") {
		s.Taints = map[string][]string{}
		for _, text := range f.taint {
			name, taint, err := cluster.ParseTaint(text)
			if err != nil {
				return s, err
			}
			s.Taints[name] = append(s.Taints[name], taint)
		}
	}
	return s, check(s)
}

// check returns an error if the settings are invalid.
func check(s state.Settings) error {
	if err := node.Check(s.Nodes); err != nil {
		return err
	}
	known := map[string]bool{}
	for _, name := range nodeNames(s) {
		known[name] = true
	}
	for name := range s.Labels {
		if !known[name] {
			return fmt.Errorf("invalid --label: no node %s; the nodes are %s", name, strings.Join(nodeNames(s), ", "))
		}
	}
	for name := range s.Taints {
		if !known[name] {
			return fmt.Errorf("invalid --taint: no node %s; the nodes are %s", name, strings.Join(nodeNames(s), ", "))
		}
	}
	return nil
}

func nodeNames(s state.Settings) []string {
	var names []string
	for _, n := range node.All(s.Nodes) {
		names = append(names, n.Name())
	}
	for i := range s.Hollow {
		names = append(names, cluster.HollowName(i))
	}
	return names
}

func up(
	ctx context.Context, progress io.Writer, d *state.Dir, wanted func(state.Settings) (state.Settings, error),
) error {
	if err := d.Make(); err != nil {
		return err
	}
	lock, err := d.Acquire(state.Commands) // a second up waits here and then finds the cluster of the first
	if err != nil {
		return err
	}
	defer lock.Release()
	stored, err := d.Settings()
	if err != nil {
		return err
	}
	settings, err := wanted(stored)
	if err != nil {
		return err
	}
	for {
		pid, err := d.Supervisor()
		if err != nil {
			return err
		}
		if pid == 0 {
			ended, err := start(d, settings)
			if err != nil {
				return err
			}
			return untilReady(ctx, progress, d, settings, ended)
		}
		if !reflect.DeepEqual(stored, settings) {
			return fmt.Errorf("the cluster in %s is running with other settings; stop it first with devcluster down", d.Root)
		}
		err = untilReady(ctx, progress, d, settings, whenGone(ctx, d))
		if !errors.Is(err, errGone) {
			return err
		}
	}
}

// errGone means that the running cluster was being stopped and has ended.
var errGone = errors.New("the running cluster has ended")

// whenGone returns a channel that receives errGone when a cluster that another command started has ended.
func whenGone(ctx context.Context, d *state.Dir) <-chan error {
	gone := make(chan error, 1)
	go func() {
		for ctx.Err() == nil && d.Held() {
			time.Sleep(20 * time.Millisecond)
		}
		gone <- errGone
	}()
	return gone
}

// start starts the supervisor in a new session, so that it outlives this command. The returned channel receives the
// supervisor's end.
func start(d *state.Dir, settings state.Settings) (<-chan error, error) {
	lock, err := d.Acquire(state.Cluster)
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	if err := lock.Note(0); err != nil {
		return nil, fmt.Errorf("reset the supervisor's pid: %w", err)
	}
	if err := d.SetSettings(settings); err != nil {
		return nil, err
	}
	if err := pki.Ensure(d.Path("pki"), cluster.Addresses()...); err != nil {
		return nil, err
	}
	sockets, err := d.Listen(settings.Gateway)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sockets.Close() }()
	if err := pki.WriteKubeconfig(d.Path("pki"), "admin", d.Kubeconfig(), apiURL(sockets.Info)); err != nil {
		return nil, fmt.Errorf("write the kubeconfig: %w", err)
	}
	output, err := os.Create(d.Log("supervisor"))
	if err != nil {
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	defer func() { _ = output.Close() }()
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	cmd := exec.Command(exe, cluster.SuperviseCommand, "--dir", d.Root)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = append([]*os.File{lock.File()}, sockets.Files()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return ended, nil
}

func apiURL(i state.Info) url.URL {
	return url.URL{Scheme: "https", Host: fmt.Sprintf("127.0.0.1:%d", i.APIPort)}
}

func client(d *state.Dir) (*kube.Client, error) {
	u := apiURL(d.Info())
	return kube.New(d.Path("pki"), u.String())
}
