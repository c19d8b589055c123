package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"norn/internal/config"
	"norn/internal/status"
	"norn/internal/ui"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
)

func newStatusCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status [APP]",
		Short: "Show the apps and how they are, or all about one of them",
		Long: `Lists the apps in the apps folder and in the cluster, one line each: role, ready and desired pods, version, age of the
version, hosts, and whether the cluster differs from the infraspec. With APP it shows pods, revisions, secret names,
volumes, and why something is not ready. Without a cluster it tells what is on disk, and why there is no cluster.
Nothing is changed.`,
		Example: "  norn status\n  norn status shop\n  norn status -o json | jq -r 'select(.drift) | .app'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := a.config(cmd)
			if err != nil {
				return err
			}
			here, err := os.Getwd()
			if err != nil {
				return fmt.Errorf("find the current folder: %w", err)
			}
			if len(args) == 1 {
				return a.statusOf(cmd.Context(), args[0], here, conf)
			}
			return a.statusOfAll(cmd.Context(), here, conf)
		},
	}
}

// reach is the cluster, or the reason why there is none; it is no failure here.
func (a *app) reach(ctx context.Context) (*k8s.Client, *connect.UnavailableError, error) {
	client, err := connect.Dial(ctx, a.kube, caller())
	var unavailable *connect.UnavailableError
	if errors.As(err, &unavailable) {
		return nil, unavailable, nil
	}
	return client, nil, err
}

func (a *app) statusOfAll(ctx context.Context, here string, conf *config.Config) error {
	locals, err := status.OnDisk(here, conf.AppsDir)
	if err != nil {
		return err
	}
	client, unavailable, err := a.reach(ctx)
	if err != nil {
		return err
	}
	var inv *k8s.Inventory
	if client != nil {
		if inv, err = client.Inventory(ctx, conf.Namespace, ""); err != nil {
			return err
		}
	}
	apps := status.Overview(locals, inv, forgeSettings(conf, ""))
	if a.JSON {
		return a.encode(append(elements(apps), connection(client, unavailable, conf))...)
	}
	a.printOverview(apps, conf, client != nil)
	a.printConnection(client, unavailable, conf)
	return nil
}

func (a *app) statusOf(ctx context.Context, arg, here string, conf *config.Config) error {
	local, invalid := status.Local{Name: arg}, error(nil)
	path, err := infraspec.Locate(arg, here, conf.AppsDir)
	var missing *infraspec.NotFoundError
	switch {
	case err == nil:
		_, invalid = a.spec(arg, conf) // told in the end: the cluster's side is told all the same
		local = status.OfFile(path)
	case !errors.As(err, &missing) || missing.Name == "":
		return err
	}
	client, unavailable, reachErr := a.reach(ctx)
	if reachErr != nil {
		return reachErr
	}
	var cluster status.Cluster
	if client != nil {
		cluster = client
	} else if err != nil {
		return err // a name that is not on disk, and nobody else to ask
	}
	detail, err := status.Describe(ctx, cluster, local, forgeSettings(conf, ""))
	if err != nil {
		return err
	}
	if a.JSON {
		return errors.Join(a.encode(detail, connection(client, unavailable, conf)), invalid)
	}
	a.printDetail(detail)
	a.printConnection(client, unavailable, conf)
	return invalid
}

// asked is the last object of a status in JSON: which cluster was asked, or why none was.
type asked struct {
	Kubernetes struct {
		Connected bool   `json:"connected"`
		Namespace string `json:"namespace"`
		Context   string `json:"context,omitempty"`
		Reason    string `json:"reason,omitempty"` // why there is no connection
	} `json:"kubernetes"`
}

func connection(client *k8s.Client, unavailable *connect.UnavailableError, conf *config.Config) asked {
	var a asked
	a.Kubernetes.Connected, a.Kubernetes.Namespace = client != nil, conf.Namespace
	if client != nil {
		a.Kubernetes.Context = client.Context
	} else {
		a.Kubernetes.Reason = unavailable.Reason
	}
	return a
}

// printConnection says which cluster this is, or why there is none.
func (a *app) printConnection(client *k8s.Client, unavailable *connect.UnavailableError, conf *config.Config) {
	if client == nil {
		ui.PrintFact(a.streams.Out, "Kubernetes:", "not connected ("+unavailable.Reason+")")
		return
	}
	ui.PrintFact(a.streams.Out, "Kubernetes:", fmt.Sprintf("namespace %s of %s", conf.Namespace, client.Context))
}
