package cli

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/spf13/pflag"

	"norn/internal/config"
	"norn/internal/ui"
	"norn/pkg/infraspec"
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

// norn warns about a generated DATABASE_URL that points to the Pod itself.
func TestWarnLocalDatabase(t *testing.T) {
	const generated = "app: a\nrole: worker\nservices: {postgres: {database: d}}\n"
	for name, c := range map[string]struct {
		file, host string
		warns      bool
	}{
		"default":       {generated, "localhost", true},
		"a host":        {generated, "db.prod", false},
		"a secret":      {generated + "secrets: [DATABASE_URL]\n", "localhost", false},
		"plain":         {generated + "env: {DATABASE_URL: postgres://db/d}\n", "localhost", false},
		"no connection": {"app: a\nrole: worker\n", "localhost", false},
	} {
		spec, _, err := infraspec.Parse("infraspec.yaml", []byte(c.file))
		if err != nil {
			t.Fatal(err)
		}
		var stderr strings.Builder
		a := NewApp("norn", ui.Streams{In: strings.NewReader(""), Out: io.Discard, Err: &stderr})
		a.WarnLocalDatabase(spec, &config.Config{PGHost: c.host})
		ui.Flush(a.Streams.Err)
		if got := strings.Contains(stderr.String(), "set NORN_PG_HOST"); got != c.warns {
			t.Errorf("%s: warned %t: %s", name, got, stderr.String())
		}
	}
}
