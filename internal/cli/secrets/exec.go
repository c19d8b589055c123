package secrets

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/command"
	"norn/internal/ui"
	"norn/pkg/secrets"
)

func newExec(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "exec [APP] [flags] -- COMMAND [ARG…]",
		Short: "Run a local command with the app's secrets",
		Long: `Replaces norn with the command. Its environment holds the secrets that the infraspec declares, as in the
app's Pods, but neither SOPS_AGE_KEY nor NORN_GIT_TOKEN. Cloud credentials stay in it, because the
command may need them. The command's output is not redacted, and its exit code is the result.`,
		Example: "  norn secrets exec -- bin/server\n" +
			"  norn secrets exec shop --env staging -- sh -c 'psql \"$DATABASE_URL\"'",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			dash := cmd.ArgsLenAtDash()
			if dash < 0 || dash == len(args) || dash > 1 {
				return cli.Usagef("no command after --; usage: norn secrets exec APP -- COMMAND")
			}
			file, err := findFile(a, cmd, cli.Argument(args[:dash], 0))
			if err != nil {
				return err
			}
			for _, ref := range file.spec.References() {
				a.Warnf("%s is not set, because its value is in Secret %s", ref.Name, ref.Secret)
			}
			if len(file.spec.Secrets) == 0 {
				return cli.Usagef("the infraspec of %s declares no secrets", file.app)
			}
			f, err := secrets.OpenLayers(cmd.Context(), file.place)
			if err != nil {
				return err
			}
			hide(a, f)
			values, err := f.Pick(file.spec.Secrets)
			f.Close()
			if err != nil {
				return err
			}
			env := command.Environment()
			for _, name := range slices.Sorted(maps.Keys(values)) {
				env = append(command.Without(env, name), name+"="+values[name].Reveal())
			}
			ui.Flush(a.Streams.Out)
			ui.Flush(a.Streams.Err)
			return command.Exec(args[dash:], env)
		},
	}
}
