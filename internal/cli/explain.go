package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"norn/pkg/forge"
	"norn/pkg/k8s"
)

// ExplainDenials makes every command below cmd explain a denied request: the error lists the permissions that the
// command lacks, and the Role that grants them.
func (a *App) ExplainDenials(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		if run := sub.RunE; run != nil {
			sub.RunE = func(cmd *cobra.Command, args []string) error {
				a.command = strings.TrimPrefix(CommandName(cmd), OwnName+" ")
				return a.explained(cmd.Context(), run(cmd, args))
			}
		}
		a.ExplainDenials(sub)
	}
}

// explained returns a *forge.PermissionError for a denied request, and any other err unchanged. If err says that an
// object does not exist, explained warns about a missing namespace.
func (a *App) explained(ctx context.Context, err error) error {
	if missing, ok := errors.AsType[*k8s.NamespaceError](err); ok && missing.Key == "" {
		missing.Key = a.environment.namespaceKey(missing.Name)
	}
	if err == nil || a.client == nil || ctx.Err() != nil {
		return err
	}
	found := find(ctx, err)
	switch {
	case is[*FingerprintError](err): // names the permission that it needs
	case found.reason == reasonForbidden && !is[*forge.PermissionError](err):
		return forge.ExplainDenial(ctx, a.client, err, a.command, a.namespace)
	case is[*k8s.NamespaceError](err):
	case found.code == ExitUsage || k8s.IsNotFound(err): // the app does not exist, for example
		a.WarnMissingNamespace(ctx)
	}
	return err
}

// WarnMissingNamespace warns once if the command's namespace does not exist. It prints nothing if the user cannot read
// namespaces.
func (a *App) WarnMissingNamespace(ctx context.Context) {
	if a.warnedNamespace {
		return
	}
	if missing, ok := errors.AsType[*k8s.NamespaceError](a.MissingNamespace(ctx)); ok {
		a.warnedNamespace = true
		a.Warnf("%s; %s", missing, missing.Hint())
	}
}

// MissingNamespace returns an error if the command's namespace does not exist. It returns nil if the user cannot read
// namespaces.
func (a *App) MissingNamespace(ctx context.Context) error {
	if a.client == nil {
		return nil
	}
	_, err := a.client.GetNamespace(ctx, a.namespace)
	if missing, ok := errors.AsType[*k8s.NamespaceError](err); ok {
		missing.Key = a.environment.namespaceKey(missing.Name)
		return missing
	}
	return nil
}
