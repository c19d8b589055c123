// Package doctor implements norn doctor.
package doctor

import (
	"strings"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/config"
	"norn/internal/doctor"
	"norn/internal/ui"
	"norn/pkg/k8s/connect"
	"norn/pkg/k8s/lease"
)

// New returns norn doctor.
func New(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor [APP]",
		Short: "Check what norn needs, and suggest fixes",
		Long: `Checks the settings, the cluster and its version, the clocks, the credentials and permissions, the
builder, the registry and its login, git and the SOPS key. For an app, it also checks the
infraspec, the tunnel, the lock, and the tools that dump the database. Nothing is changed. Without a
cluster, norn checks the rest.

Each check ends as ok, as a warning (which does not stop norn), as a problem with a hint, or as skipped
with a reason. If there is a problem, norn exits with 1. See docs/doctor.md for each check.`,
		Example: `  norn doctor
  norn doctor shop
  norn doctor -o json | jq -r '.checks[] | select(.state=="problem") | .hint'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(a, cmd, cli.Argument(args, 0))
		},
	}
	cli.BindBuild(cmd)
	return cmd
}

func run(a *cli.App, cmd *cobra.Command, arg string) error {
	wait, err := connect.RequestTimeout(a.Kube)
	if err != nil {
		return err
	}
	here, err := cli.Here()
	if err != nil {
		return err
	}
	conf, confErr := a.Config(cmd)
	if conf == nil {
		return confErr
	}
	if err := a.ChooseFor(conf, arg); err != nil {
		return err
	}
	a.Redactor.Hide("NORN_GIT_TOKEN", conf.GitToken)
	subject := doctor.Subject{
		Config: conf, ConfigErr: confErr, App: arg, Here: here, Wait: wait,
		Connect:    a.Dial,
		PluginWait: connect.PluginLimit(a.Caller().Interactive),
		Hide:       a.Redactor.Hide,
		Dead:       lease.ThisProcess("norn doctor").Dead,
	}
	p := &printer{rename: a.Rename}
	if !a.JSON {
		p.checks = ui.NewChecks(a.Streams.Out, detailColumn)
	}
	results, err := doctor.Examine(cmd.Context(), subject, p.take)
	p.flush()
	if err != nil { // interrupted, perhaps during a login
		connect.EndPlugins()
		return err
	}
	return conclude(a, results, conf)
}

// Diagnosis is the JSON output of norn doctor.
type Diagnosis struct {
	Verdict   doctor.State    `json:"verdict" redact:"-"`
	Problems  int             `json:"problems"`
	Warnings  int             `json:"warnings"`
	Namespace string          `json:"namespace"`
	Checks    []doctor.Result `json:"checks"`
}

// conclude prints the verdict over all checks, and returns an error if there is a problem.
func conclude(a *cli.App, results []doctor.Result, conf *config.Config) error {
	problems, warnings := doctor.Count(results, doctor.Problem), doctor.Count(results, doctor.Warning)
	verdict := doctor.OK
	switch {
	case problems > 0:
		verdict = doctor.Problem
	case warnings > 0:
		verdict = doctor.Warning
	}
	if a.JSON {
		if err := a.Encode(Diagnosis{verdict, problems, warnings, conf.Namespace, results}); err != nil {
			return err
		}
	}
	switch {
	case problems > 0:
		return &cli.ProblemsFoundError{Problems: problems, Warnings: warnings}
	case !a.JSON:
		text := "no problems found"
		if warnings > 0 {
			text += ", " + cli.Plural(warnings, "warning")
		}
		return ui.PrintText(a.Streams.Out, text)
	}
	return nil
}

// printer prints results as they arrive. Checks skipped because there is no cluster share one line.
type printer struct {
	rename  func(string) string
	checks  *ui.Checks // nil with -o json, which prints everything at the end
	skipped []string
}

// detailColumn is the column where the details begin: after the longest name.
const detailColumn = len("* credentials  ")

var signs = map[doctor.State]struct {
	mark ui.Mark
	sign string
}{
	doctor.OK:      {ui.Good, "✓"},
	doctor.Warning: {ui.Warn, "!"},
	doctor.Problem: {ui.Bad, "✗"},
	doctor.Skipped: {ui.Dim, "-"},
}

func (p *printer) take(r doctor.Result) {
	if p.checks == nil {
		return
	}
	if r.NoCluster {
		p.skipped = append(p.skipped, r.Name)
		return
	}
	p.flush()
	p.print(r)
}

func (p *printer) flush() {
	if len(p.skipped) > 0 {
		p.print(doctor.Result{Name: "the rest", Verdict: doctor.Verdict{
			State: doctor.Skipped, Detail: strings.Join(p.skipped, ", ") + " need the cluster",
		}})
	}
	p.skipped = nil
}

func (p *printer) print(r doctor.Result) {
	s := signs[r.State]
	p.checks.Print(ui.Check{
		Name: r.Name, Mark: s.mark, Sign: s.sign, State: string(r.State),
		Detail: append([]string{r.Detail}, r.More...), Hint: p.rename(r.Hint),
	})
}
