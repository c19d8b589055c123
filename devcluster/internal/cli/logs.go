package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"norn/devcluster/internal/state"
)

func logsCmd(dir dirFunc) *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs COMPONENT",
		Short: "Print the log of a component",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			return printLog(cmd.Context(), cmd.OutOrStdout(), d, args[0], follow)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "follow the log")
	return cmd
}

func printLog(ctx context.Context, w io.Writer, d *state.Dir, name string, follow bool) error {
	f, err := os.Open(d.Log(filepath.Clean("/" + name)))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no log of component %q; available: %s", name, strings.Join(logNames(d), ", "))
	}
	if err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	defer func() { _ = f.Close() }()
	for {
		if _, err := io.Copy(w, f); err != nil || !follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// logNames returns the components that have a log: COMPONENT of the control plane, or NODE/COMPONENT.
func logNames(d *state.Dir) []string {
	var names []string
	for _, pattern := range []string{d.Log("*"), d.Log("*/*")} {
		files, _ := filepath.Glob(pattern) // the patterns are valid
		for _, f := range files {
			name, err := filepath.Rel(d.Path("log"), f)
			if err == nil {
				names = append(names, strings.TrimSuffix(name, ".log"))
			}
		}
	}
	return names
}
