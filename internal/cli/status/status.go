// Package status implements norn status.
package status

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/config"
	"norn/internal/status"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// New returns norn status.
func New(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "status [APP]",
		Short: "List the apps and their state, or describe one app",
		Long: `Lists the apps in the apps folder and in the cluster: role, state, ready and desired Pods, version and its
age, hosts, and whether the cluster differs from the infraspec. With APP, shows Pods, revisions,
volumes, names of secrets, and why something is not ready.

With --env and without APP, lists the apps of that environment, each in its namespace there. An app without
environments is shown as without --env.

Without a cluster, norn shows what is on disk, and why it cannot reach the cluster.`,
		Example: "  norn status\n  norn status shop\n  norn status --env staging\n" +
			"  norn status -o json | jq -r 'select(.drift) | .app'",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			here, err := cli.Here()
			if err != nil {
				return err
			}
			conf, err := a.Config(cmd)
			if err != nil {
				return err
			}
			if len(args) == 0 && conf.Env != "" {
				return inEnvironment(cmd.Context(), a, here, conf)
			}
			if conf, err = a.Choose(cmd, cli.Purpose{App: cli.Argument(args, 0)}); err != nil {
				return err
			}
			if len(args) == 1 {
				return one(cmd.Context(), a, args[0], here, conf)
			}
			return all(cmd.Context(), a, here, conf)
		},
	}
}

func all(ctx context.Context, a *cli.App, here string, conf *config.Config) error {
	locals, err := status.OnDisk(here, conf.AppsDir)
	if err != nil {
		return err
	}
	client, unavailable, err := a.Reach(ctx, conf)
	if err != nil {
		return err
	}
	var inv *k8s.Inventory
	var missing error // returned at the end: what is on disk is shown
	if client != nil {
		if inv, err = client.Inventory(ctx, conf.Namespace, ""); err != nil {
			return err
		}
		if len(inv.Deployments)+len(inv.CronJobs)+len(inv.PodTemplates) == 0 {
			missing = a.MissingNamespace(ctx)
		}
	}
	settings, err := cli.ForgeSettings(ctx, client, conf, "")
	if err != nil {
		return err
	}
	apps := status.Overview(locals, inv, settings)
	if a.JSON {
		return errors.Join(a.Encode(append(cli.Elements(apps), cli.NewConnection(client, unavailable, conf))...), missing)
	}
	printOverview(a, apps, conf, client != nil)
	a.PrintConnection(client, unavailable, conf)
	return missing
}

func one(ctx context.Context, a *cli.App, arg, here string, conf *config.Config) error {
	local, invalid := status.Local{Name: arg}, error(nil)
	path, err := infraspec.Locate(arg, here, conf.AppsDir)
	var missing *infraspec.NotFoundError
	switch {
	case err == nil:
		_, invalid = a.Spec(arg, conf) // returned at the end: the state is shown even if the infraspec is not valid
		local = status.OfFile(path).In(conf.Env)
	case !errors.As(err, &missing) || missing.Name == "":
		return err
	}
	client, unavailable, reachErr := a.Reach(ctx, conf)
	if reachErr != nil {
		return reachErr
	}
	var cluster status.Cluster
	if client != nil {
		cluster = client
	} else if err != nil {
		return err // the name is not on disk, and no cluster is available
	}
	settings, err := cli.ForgeSettings(ctx, client, conf, "")
	if err != nil {
		return err
	}
	detail, err := status.Describe(ctx, cluster, local, settings)
	if err != nil && client != nil {
		return (&cli.Session{Conf: conf, Client: client}).CheckSpelling(ctx, arg, err)
	}
	if err != nil {
		return err
	}
	if detail.State == status.NotForged {
		invalid = errors.Join(invalid, a.MissingNamespace(ctx))
	}
	if a.JSON {
		return errors.Join(a.Encode(detail, cli.NewConnection(client, unavailable, conf)), invalid)
	}
	printDetail(a, detail)
	a.PrintConnection(client, unavailable, conf)
	return invalid
}
