package cli

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/spf13/pflag"
)

// The error for an invalid flag contains the flag, its value and the problem, once each.
func TestFlagError(t *testing.T) {
	for args, want := range map[string]string{
		"--timeout 0":      `invalid --timeout "0": must be a duration above zero, such as 30s or 5m`,
		"--lock-timeout x": `invalid --lock-timeout "x": must be a duration such as 30s or 5m`,
		"-t x":             `invalid --tail "x": not a valid number`,
		"--yes=perhaps":    `invalid --yes "perhaps": must be true or false`,
		"--nosuch":         `unknown flag: --nosuch`,
		"--version":        `unknown flag: --version; norn version shows the version`,
	} {
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		flags.SetOutput(io.Discard)
		flags.Var(new(Duration), "timeout", "")
		flags.Duration("lock-timeout", 0, "")
		flags.IntP("tail", "t", 0, "")
		flags.Bool("yes", false, "")
		if got := FlagError(flags.Parse(strings.Fields(args))).Error(); got != want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
}

// A secret's NAME=VALUE after a forgotten "set" is an unknown command, whose value is not shown.
func TestUnknownCommandHidesValue(t *testing.T) {
	group := Group("secrets", "short", "long")
	(&cobra.Command{Use: "norn"}).AddCommand(group)
	err := group.RunE(group, []string{"TOKEN=canary"})
	if want := `unknown command "TOKEN" for norn secrets`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
