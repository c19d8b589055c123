// Package schema implements norn schema.
package schema

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/infraspec"
)

// New returns norn schema.
func New(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the infraspec's JSON Schema, for editors",
		Long: `Prints the JSON Schema (draft 7) that editors use to complete and check infraspec.yaml. norn init writes
it to .norn/infraspec.schema.json. After an upgrade of norn, update that file as in the example.`,
		Example: "  norn schema >.norn/infraspec.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.JSON { // JSON either way; with -o json on one line
				return a.Encode(json.RawMessage(infraspec.Schema))
			}
			return ui.PrintData(a.Streams.Out, infraspec.Schema)
		},
	}
}
