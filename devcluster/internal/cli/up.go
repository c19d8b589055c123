package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"norn/devcluster/internal/kube"
	"norn/devcluster/internal/node"
	"norn/devcluster/internal/pki"
	"norn/devcluster/internal/state"
)

func upCmd(dir dirFunc) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start it and wait until it is ready; does nothing where it runs already",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			if err := requirements(); err != nil {
				return err
			}
			if err := up(cmd.Context(), cmd.ErrOrStderr(), d); err != nil {
				return err
			}
			return show(cmd.OutOrStdout(), d.Info(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "machine-readable output")
	return cmd
}

func up(ctx context.Context, progress io.Writer, d *state.Dir) error {
	if err := d.Make(); err != nil {
		return err
	}
	lock, err := d.Acquire(state.Commands) // a second up waits here, and then finds the first one's cluster
	if err != nil {
		return err
	}
	defer lock.Release()
	for {
		pid, err := d.Supervisor()
		if err != nil {
			return err
		}
		if pid == 0 {
			ended, err := start(d)
			if err != nil {
				return err
			}
			return untilReady(ctx, progress, d, ended)
		}
		err = untilReady(ctx, progress, d, whenGone(ctx, d))
		if !errors.Is(err, errGone) {
			return err
		}
	}
}

// errGone says that the cluster that was there ended while it was waited for: it was being killed.
var errGone = errors.New("the running cluster has ended")

// whenGone tells when a cluster that this command has not started is gone.
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

// start runs the supervisor in a session of its own, so that it outlives this command, and returns a channel that
// tells when it ends.
func start(d *state.Dir) (<-chan error, error) {
	lock, err := d.Acquire(state.Cluster)
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	if err := lock.Note(0); err != nil {
		return nil, fmt.Errorf("note that nobody is there yet: %w", err)
	}
	nodeIP, serviceIP := node.Addresses()
	if err := pki.Ensure(d.Path("pki"), nodeIP, serviceIP); err != nil {
		return nil, err
	}
	sockets, err := d.Listen()
	if err != nil {
		return nil, err
	}
	defer func() { _ = errors.Join(sockets.API.Close(), sockets.Registry.Close()) }()
	if err := pki.WriteKubeconfig(d.Path("pki"), d.Kubeconfig(), apiURL(sockets.Info)); err != nil {
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
	cmd := exec.Command(exe, node.SuperviseCommand, "--dir", d.Root)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = []*os.File{sockets.API, sockets.Registry, lock.File()}
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

// untilReady waits for each part in turn, and says how long it took. It gives up as soon as the supervisor ends.
func untilReady(ctx context.Context, progress io.Writer, d *state.Dir, ended <-chan error) error {
	client, err := client(d)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		err := <-ended
		cancel(fmt.Errorf("the supervisor ended: %w", errors.Join(err, lastWords(d))))
	}()
	begin := time.Now()
	parts := []struct {
		name string
		ask  func(context.Context) (bool, error)
	}{
		{"API server", func(ctx context.Context) (bool, error) { return client.Exists(ctx, "/readyz") }},
		{"node", func(ctx context.Context) (bool, error) { return client.NodeReady(ctx, d.Started()) }},
		{"StorageClass", func(ctx context.Context) (bool, error) {
			return client.Exists(ctx, "/apis/storage.k8s.io/v1/storageclasses/standard")
		}},
		{"service account", func(ctx context.Context) (bool, error) {
			return client.Exists(ctx, "/api/v1/namespaces/default/serviceaccounts/default")
		}},
	}
	for _, p := range parts {
		if err := client.Until(ctx, 3*time.Minute, p.name+" is ready", p.ask); err != nil {
			return fmt.Errorf("%w; see the logs in %s", err, d.Path("log"))
		}
		_, _ = fmt.Fprintf(progress, "  %s ready (%.1fs)\n", p.name, time.Since(begin).Seconds())
	}
	return nil
}

// lastWords are the end of the supervisor's log.
func lastWords(d *state.Dir) error {
	data, err := os.ReadFile(d.Log("supervisor"))
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return errors.New(strings.Join(lines[max(0, len(lines)-3):], "; "))
}
