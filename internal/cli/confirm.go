package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"norn/internal/ui"
	"norn/pkg/pipeline"
)

// confirm asks on a terminal before a command does what cannot be taken back. Elsewhere nobody can answer, so that the flag is needed.
func (a *app) confirm(ctx context.Context, command, what, but string) error {
	prompt, asking := ui.NewPrompt(a.streams)
	if !asking {
		return &pipeline.UsageError{Problem: command + " asks first, and this is no terminal", Advice: "add --yes"}
	}
	answer, err := prompt.Ask(ctx, fmt.Sprintf("%s (%s)? [y/N] ", what, but))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("nothing was done: %w", err)
	case !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes"):
		return errors.New("nothing was done")
	}
	return nil
}
