package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"norn/pkg/forge"
)

// ExplainDenials makes all commands below cmd answer a denied request alike: with every permission that the command
// lacks, and the Role that grants it.
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

// explained returns err, or for a denied request of the command a *forge.PermissionError.
func (a *App) explained(ctx context.Context, err error) error {
	if a.client == nil || is[*forge.PermissionError](err) || find(ctx, err).reason != reasonForbidden {
		return err
	}
	return forge.ExplainDenial(ctx, a.client, err, a.command, a.namespace)
}
