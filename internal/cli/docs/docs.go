// Package docs implements norn docs, which writes the documentation generated from the commands. make runs it.
package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/manual"
)

// New returns norn docs.
func New(a *cli.App) *cobra.Command {
	cmd := cli.Group("docs", "Write the command reference or the man pages",
		"Writes the files for the make targets docs and install.")
	cmd.Hidden = true
	cmd.AddCommand(
		&cobra.Command{
			Use: "page", Short: "Print the command reference in Markdown", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := a.Streams.Out.Write(manual.Page(cmd.Root()))
				return err
			},
		},
		&cobra.Command{
			Use: "man DIR", Short: "Write the man pages into a folder", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				date, err := buildDate()
				if err != nil {
					return err
				}
				for name, text := range manual.Pages(cmd.Root(), manual.Edition{Version: cli.Version(), Date: date}) {
					if err := os.WriteFile(filepath.Join(args[0], name), text, 0o644); err != nil {
						return fmt.Errorf("write the man pages: %w", err)
					}
				}
				return nil
			},
		},
	)
	return cmd
}

// buildDate returns SOURCE_DATE_EPOCH, for reproducible builds (reproducible-builds.org), or now.
func buildDate() (time.Time, error) {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, cli.Usagef("invalid SOURCE_DATE_EPOCH %q: must be a number of seconds", epoch)
	}
	return time.Unix(seconds, 0), nil
}
