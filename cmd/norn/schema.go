package main

import (
	"github.com/spf13/cobra"

	"norn/pkg/infraspec"
)

func newSchemaCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the infraspec's JSON Schema, for editors",
		Long: `Prints the JSON Schema (draft 7) that an editor completes and checks an infraspec.yaml with. norn init puts it beside the
file; this brings it up to date after an upgrade.`,
		Example: "  norn schema >.norn/infraspec.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.streams.Out.Write(infraspec.Schema)
			return err
		},
	}
}
