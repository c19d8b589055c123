package root

import (
	"regexp"

	"github.com/spf13/cobra"

	"norn/internal/cli"
)

// unsupported returns why a command has no JSON output, or "".
func unsupported(command string) string {
	switch command {
	case "norn secrets exec":
		return "it prints the command's own output"
	case "norn completion":
		return "it prints a shell script"
	case "norn help":
		return "it prints text for people"
	}
	return ""
}

// checkOutput returns an error if cmd does not support -o json.
func checkOutput(a *cli.App, cmd *cobra.Command, args []string) error {
	if !a.JSON {
		return nil
	}
	for c := cmd; c != nil; c = c.Parent() {
		if why := unsupported(cli.CommandName(c)); why != "" {
			return cli.Usagef("%s does not support -o json: %s", cli.CommandName(c), why)
		}
	}
	if cmd.HasAvailableSubCommands() && len(args) == 0 {
		return cli.Usagef("%s does not support -o json: it only prints its help", cli.CommandName(cmd))
	}
	return nil
}

// These patterns match -o json among the arguments, alone or after other short flags.
var (
	jsonFlag   = regexp.MustCompile(`^(-[fhpqvy]*o=?|--output=)json$`)
	outputOnly = regexp.MustCompile(`^(-[fhpqvy]*o|--output)$`)
)

// asksJSON reports whether args contain -o json, for command lines that cannot be parsed.
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
