package root

import (
	"regexp"

	"github.com/spf13/cobra"

	"norn/internal/cli"
)

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
func checkOutput(a *cli.App, cmd *cobra.Command, args []string) error {
	if !a.JSON {
		return nil
	}
	for c := cmd; c != nil; c = c.Parent() {
		if why := foreign(cli.CommandName(c)); why != "" {
			return cli.Usagef("-o json does not go with %s: %s", cli.CommandName(c), why)
		}
	}
	if cmd.HasAvailableSubCommands() && len(args) == 0 {
		return cli.Usagef("-o json: %s alone only prints its help", cli.CommandName(cmd))
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
