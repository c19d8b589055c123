package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"syscall"

	"github.com/spf13/cobra"

	"norn/internal/ui"
)

// encode writes a command's results, each as one JSON object on a line of its own; docs/json.md describes them to users.
func (a *app) encode(objects ...any) error {
	enc := json.NewEncoder(a.streams.Out)
	for _, o := range objects {
		if err := enc.Encode(o); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	}
	return nil
}

// elements are the results of a list, for encode.
func elements[T any](list []T) []any {
	out := make([]any, 0, len(list))
	for _, e := range list {
		out = append(out, e)
	}
	return out
}

// foreign says of a command whose output is not norn's own what it is, so that there is nothing to put into JSON.
func foreign(path string) string {
	switch path {
	case "norn secrets exec":
		return "the command's output is its own"
	case "norn completion":
		return "it prints a shell's script"
	case "norn help":
		return "it is for people"
	}
	return ""
}

// checkOutput refuses -o json where stdout would carry something else.
func (a *app) checkOutput(cmd *cobra.Command, args []string) error {
	if !a.JSON {
		return nil
	}
	for c := cmd; c != nil; c = c.Parent() {
		if why := foreign(nameOf(c)); why != "" {
			return &usageError{err: fmt.Errorf("-o json does not go with %s: %s", nameOf(c), why)}
		}
	}
	if cmd.HasAvailableSubCommands() && len(args) == 0 {
		return &usageError{err: fmt.Errorf("-o json: %s alone only prints its help", nameOf(cmd))}
	}
	return nil
}

// How -o json looks among the arguments, alone or behind other short flags.
var (
	jsonFlag   = regexp.MustCompile(`^(-[fhpqvy]*o=?|--output=)json$`)
	outputOnly = regexp.MustCompile(`^(-[fhpqvy]*o|--output)$`)
)

// asksJSON reports whether -o json is among arguments that could not be read as a whole.
func asksJSON(args []string) bool {
	for i, arg := range args {
		switch {
		case arg == "--":
			return false
		case jsonFlag.MatchString(arg), outputOnly.MatchString(arg) && i+1 < len(args) && args[i+1] == "json":
			return true
		}
	}
	return false
}

// tellEnd ends the output of a command that has failed with the event that the commands in steps end with, unless it has been written.
func (a *app) tellEnd(ctx context.Context, args []string, err error) {
	if err == nil || a.ended || errors.Is(err, syscall.EPIPE) || !a.JSON && !asksJSON(args) {
		return
	}
	ui.PrintEnd(a.streams.Out, outcome(ctx, a.spoken(err)))
}
