package secrets

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/pkg/secrets"
)

func newImport(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "import [APP] FILE",
		Short: "Set all values of a dotenv file in the app's SOPS file",
		Long: `Reads names and values from a file such as .env, or from standard input if FILE is -, and sets all in one
write. Other values stay. Single and double quotes, values of several lines, comments and export work
as usual; $NAME is not expanded. The file stays where it is, in plain text: delete it.`,
		Example: "  norn secrets import .env\n  norn secrets import shop --env staging staging.env",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, app := args[len(args)-1], ""
			if len(args) == 2 {
				app = args[0]
			}
			file, err := findFile(a, cmd, app)
			if err == nil {
				err = secrets.Ready(file.path)
			}
			if err != nil {
				return err
			}
			data, err := a.ReadFile(cmd.Context(), from)
			if err != nil {
				return fmt.Errorf("read the values: %w", err)
			}
			values, err := secrets.Dotenv(from, data)
			for name, v := range values {
				a.Redactor.Hide(name, v.Reveal())
			}
			if err != nil {
				return err
			}
			if err := refuseReferenced(file, slices.Sorted(maps.Keys(values))...); err != nil {
				return err
			}
			return importAll(a, cmd, file, values)
		},
	}
}

func importAll(a *cli.App, cmd *cobra.Command, file *appFile, values map[string]secrets.Value) error {
	names := slices.Sorted(maps.Keys(values))
	var changes secrets.Changes
	err := update(cmd.Context(), a, file, func(f *secrets.File) error {
		hide(a, f)
		before := f.Values()
		for _, name := range names {
			old, exists := before[name]
			if text := values[name].Reveal(); !exists || old.Reveal() != text {
				if err := f.Set(name, text); err != nil {
					return err
				}
			}
		}
		changes = secrets.Compare(before, f.Values())
		if changes.String() == "" {
			return secrets.ErrUnchanged
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		warnCommonWord(a, name, values[name].Reveal())
	}
	return finish(cmd.Context(), a, file, changes)
}
