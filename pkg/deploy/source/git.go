package source

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"norn/internal/command"
)

// gitFunc runs git and returns its standard output without the last line break. The error includes git's standard
// error.
type gitFunc func(ctx context.Context, args ...string) (string, error)

// gitIn returns a gitFunc that runs git in dir.
func gitIn(dir string, env ...string) gitFunc {
	return func(ctx context.Context, args ...string) (string, error) {
		var stdout, stderr bytes.Buffer
		options := command.Options{
			Dir: dir, Stdout: &stdout, Stderr: &stderr,
			Env: append([]string{"LC_ALL=C"}, env...), // resolve recognizes a message
		}
		if err := command.Git(ctx, options, args...); err != nil {
			if text := strings.TrimSpace(stderr.String()); text != "" {
				err = fmt.Errorf("%w: %s", err, text)
			}
			return "", fmt.Errorf("git %s: %w", subcommand(args), err)
		}
		return oneLine(stdout.String()), nil
	}
}

// subcommand returns the subcommand in git's arguments, such as clone, or "".
func subcommand(args []string) string {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-c":
			i++
		case !strings.HasPrefix(args[i], "-"):
			return args[i]
		}
	}
	return ""
}
