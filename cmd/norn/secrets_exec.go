package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"norn/internal/command"
	"norn/internal/ui"
	"norn/pkg/secrets"
)

func newSecretsExecCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "exec [APP] -- COMMAND [ARG…]",
		Short: "Run a local command with the app's secrets in its environment",
		Long: `Runs a command in norn's place, with the values that the infraspec declares in its environment, as the app's pods have them. What the command
prints is its own and is not redacted; its exit code is norn's. The keys to the secrets are not in its environment.`,
		Example: "  norn secrets exec -- bin/server\n  norn secrets exec shop -- sh -c 'psql \"$DATABASE_URL\"'",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			dash := cmd.ArgsLenAtDash()
			if dash < 0 || dash == len(args) || dash > 1 {
				return &usageError{err: errors.New("the command stands behind --: norn secrets exec APP -- COMMAND")}
			}
			file, err := a.secretsFile(cmd, argument(args[:dash], 0))
			if err != nil {
				return err
			}
			if len(file.declared) == 0 {
				return &usageError{err: fmt.Errorf("the infraspec of %s declares no secrets", file.app)}
			}
			f, err := secrets.Open(cmd.Context(), file.path)
			if err != nil {
				return err
			}
			a.hide(f)
			values, err := f.Pick(file.declared)
			f.Close()
			if err != nil {
				return err
			}
			env := command.Environment()
			for _, name := range slices.Sorted(maps.Keys(values)) {
				env = append(command.Without(env, name), name+"="+values[name].Reveal())
			}
			ui.Flush(a.streams.Out)
			ui.Flush(a.streams.Err)
			return command.Exec(args[dash:], env)
		},
	}
}
