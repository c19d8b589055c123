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
		Short: "Print a component's log",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := dir()
			if err != nil {
				return err
			}
			return printLog(cmd.Context(), cmd.OutOrStdout(), d, args[0], follow)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on as it grows")
	return cmd
}

func printLog(ctx context.Context, w io.Writer, d *state.Dir, name string, follow bool) error {
	f, err := os.Open(d.Log(filepath.Base(name)))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no log of %q; there are: %s", name, strings.Join(logNames(d), ", "))
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

func logNames(d *state.Dir) []string {
	files, _ := filepath.Glob(d.Log("*")) // the pattern is well formed
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".log")
	}
	return files
}
