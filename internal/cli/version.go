package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// stamped is set by the linker in a release build.
var stamped string

func version() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// build is what this binary was built from, with, and for.
type build struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show norn's version",
		Long:    "Shows norn's version, the Go version that it was built with, and its platform. No cluster is asked, and nobody else.",
		Example: "  norn version\n  norn version -o json | jq -r .version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			platform := runtime.GOOS + "/" + runtime.GOARCH
			if a.JSON {
				return a.encode(build{version(), runtime.Version(), platform})
			}
			_, err := fmt.Fprintf(a.streams.Out, "norn %s %s %s\n", version(), runtime.Version(), platform)
			return err
		},
	}
}
