// Package version implements norn version.
package version

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
)

// Build is the JSON output: the source, the toolchain and the platform of this binary.
type Build struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// New returns norn version.
func New(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show norn's version",
		Long:    "Shows norn's version, the Go version that built it, and its platform. It contacts no server.",
		Example: "  norn version\n  norn version -o json | jq -r .version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := Build{cli.Version(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			if a.JSON {
				return a.Encode(b)
			}
			return ui.PrintText(a.Streams.Out, fmt.Sprintf("norn %s %s %s", b.Version, b.Go, b.Platform))
		},
	}
}
