package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"norn/internal/cli"
	"norn/internal/config"
	"norn/internal/status"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// inEnvironment lists the apps of an environment, which may be in several namespaces.
func inEnvironment(ctx context.Context, a *cli.App, here string, conf *config.Config) error {
	locals, err := status.OnDisk(here, conf.AppsDir)
	if err != nil {
		return err
	}
	specs, err := having(locals, conf)
	if err != nil {
		return err
	}
	places, apps := status.Places(locals, conf.Env, conf.Namespace)
	first := *conf
	first.Namespace = places[0].Namespace
	client, unavailable, err := a.ReachEnvironment(ctx, &first, specs)
	if err != nil {
		return err
	}
	var missing []error // returned at the end: the others are shown
	var names []string
	for _, p := range places {
		one := *conf
		one.Namespace = p.Namespace
		names = append(names, p.Namespace)
		var inv *k8s.Inventory
		if client != nil {
			inv, err = client.Inventory(ctx, p.Namespace, "")
			_, denied := errors.AsType[*k8s.DeniedError](err)
			switch {
			case denied:
				missing = append(missing, err)
			case err != nil:
				return err
			case len(inv.Deployments)+len(inv.CronJobs)+len(inv.PodTemplates) == 0:
				missing = append(missing, missingNamespace(ctx, client, p))
			}
		}
		settings, err := cli.ForgeSettings(ctx, client, &one, "")
		if err != nil {
			return err
		}
		apps = append(apps, p.In(conf.Env, status.Overview(p.Apps, inv, settings))...)
	}
	apps = status.Sorted(apps)
	if a.JSON {
		connection := cli.NewConnection(client, unavailable, conf)
		return errors.Join(append(missing, a.Encode(append(cli.Elements(apps), connection)...))...)
	}
	printOverview(a, apps, conf, client != nil)
	shown := *conf
	shown.Namespace = strings.Join(names, ", ")
	a.PrintConnection(client, unavailable, &shown)
	return errors.Join(missing...)
}

// having returns the infraspecs that have the environment. If none has it, the error lists the environments.
func having(locals []status.Local, conf *config.Config) ([]*infraspec.Spec, error) {
	var specs []*infraspec.Spec
	var known []string
	var failed error
	for _, l := range locals {
		if l.Spec == nil || len(l.Spec.Environments) == 0 {
			continue
		}
		chosen, err := l.Spec.Chosen(conf.Env)
		known = append(known, l.Spec.EnvironmentNames()...)
		if _, invalid := errors.AsType[*infraspec.PreviewError](err); invalid {
			failed = err
		}
		if err != nil {
			continue
		}
		if conf.From("namespace") == "--namespace" && chosen.Namespace != "" && chosen.Namespace != conf.Namespace {
			return nil, cli.Usagef("environment %s of %s is in namespace %s, not %s; omit --namespace", conf.Env, l.Spec.App,
				chosen.Namespace, conf.Namespace)
		}
		specs = append(specs, l.Spec)
	}
	if len(specs) > 0 {
		return specs, nil
	}
	if failed != nil {
		return nil, failed
	}
	slices.Sort(known)
	return nil, &infraspec.EnvironmentError{
		Path: fmt.Sprintf("the apps of %s", conf.AppsDir), Name: conf.Env, Known: slices.Compact(known),
		From: conf.From("env"),
	}
}

// missingNamespace returns an error if the namespace of a place does not exist. It returns nil if the user is not
// allowed to read namespaces.
func missingNamespace(ctx context.Context, client *k8s.Client, p status.Place) error {
	_, err := client.GetNamespace(ctx, p.Namespace)
	if _, denied := errors.AsType[*k8s.DeniedError](err); denied {
		return nil
	}
	if missing, ok := errors.AsType[*k8s.NamespaceError](err); ok {
		missing.Key = p.Key
		return missing
	}
	return err
}
