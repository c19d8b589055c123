package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"norn/internal/config"
	"norn/internal/doctor"
	"norn/internal/ui"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
	"norn/pkg/k8s/lease"
)

func newDoctorCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor [APP]",
		Short: "Check all that norn needs, and say what to do",
		Long: `Checks the settings, the cluster and its version, the clocks, the credentials and permissions, the builder, the
registry and its login, git and the SOPS key; of an app also its infraspec, tunnel, lock, and what dumps its
database. It only looks, and works without a cluster too: then it checks the rest.

Each line is ok, a warning (it may matter, and stops nothing), a problem with what to do, or skipped with why.
It exits with 1 where there is a problem. docs/doctor.md has the details.`,
		Example: "  norn doctor\n  norn doctor shop\n  norn doctor -o json | jq -r '.checks[] | select(.state==\"problem\") | .hint'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.doctor(cmd.Context(), cmd, argument(args, 0))
		},
	}
	flags := cmd.Flags()
	flags.String("registry", "", "registry that images are pushed to (NORN_REGISTRY_URL)")
	flags.String("builder", "", "docker, podman, buildah or nerdctl (NORN_BUILDER; default the first there is)")
	return cmd
}

// unwellError says that doctor has found something; its lines have told what.
type unwellError struct{ problems, warnings int }

// Error counts.
func (e *unwellError) Error() string {
	return "there " + isAre(e.problems) + " " + plural(e.problems, "problem") + alsoWarnings(e.warnings)
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func alsoWarnings(n int) string {
	if n == 0 {
		return ""
	}
	return ", and " + plural(n, "warning")
}

func (a *app) doctor(ctx context.Context, cmd *cobra.Command, arg string) error {
	wait, err := connect.RequestTimeout(a.kube)
	if err != nil {
		return err
	}
	here, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the current folder: %w", err)
	}
	conf, confErr := a.config(cmd)
	if conf == nil {
		return confErr
	}
	a.redactor.Hide("NORN_GIT_TOKEN", conf.GitToken)
	subject := doctor.Subject{
		Config: conf, ConfigErr: confErr, App: arg, Here: here, Wait: wait,
		Connect: func(ctx context.Context) (*k8s.Client, error) { return connect.Dial(ctx, a.kube, caller()) },
		Hide:    a.redactor.Hide,
		Dead:    lease.ThisProcess("norn doctor").Dead,
	}
	printer := &doctorPrinter{say: a.say}
	if !a.JSON {
		printer.checks = ui.NewChecks(a.streams.Out, doctorColumn)
	}
	results, err := doctor.Examine(ctx, subject, printer.take)
	printer.flush()
	if err != nil {
		return err
	}
	return a.diagnose(results, conf)
}

// diagnosis is what doctor has found, as one JSON object.
type diagnosis struct {
	Verdict   doctor.State    `json:"verdict"`
	Problems  int             `json:"problems"`
	Warnings  int             `json:"warnings"`
	Namespace string          `json:"namespace"`
	Checks    []doctor.Result `json:"checks"`
}

// diagnose is the end: the verdict over all, as a line, as JSON, or as an error.
func (a *app) diagnose(results []doctor.Result, conf *config.Config) error {
	problems, warnings := doctor.Count(results, doctor.Problem), doctor.Count(results, doctor.Warning)
	verdict := doctor.OK
	switch {
	case problems > 0:
		verdict = doctor.Problem
	case warnings > 0:
		verdict = doctor.Warning
	}
	if a.JSON {
		err := a.encode(diagnosis{verdict, problems, warnings, conf.Namespace, results})
		if err != nil {
			return err
		}
	}
	switch {
	case problems > 0:
		return &unwellError{problems, warnings}
	case !a.JSON:
		_, err := fmt.Fprintln(a.streams.Out, "there are no problems"+alsoWarnings(warnings))
		return err
	}
	return nil
}

// doctorPrinter prints each result in its turn. Those that are skipped for want of a cluster become one line.
type doctorPrinter struct {
	say     func(string) string
	checks  *ui.Checks // nil where nothing is printed before the end
	waiting []string
}

// doctorColumn is where the details begin, behind the longest name.
const doctorColumn = len("* credentials  ")

var doctorSigns = map[doctor.State]struct {
	mark ui.Mark
	sign string
}{
	doctor.OK: {ui.Good, "✓"}, doctor.Warning: {ui.Warn, "!"}, doctor.Problem: {ui.Bad, "✗"}, doctor.Skipped: {ui.Dim, "-"},
}

func (p *doctorPrinter) take(r doctor.Result) {
	if p.checks == nil {
		return
	}
	if r.NoCluster {
		p.waiting = append(p.waiting, r.Name)
		return
	}
	p.flush()
	p.print(r)
}

func (p *doctorPrinter) flush() {
	if len(p.waiting) > 0 {
		p.print(doctor.Result{Name: "the rest", Verdict: doctor.Verdict{State: doctor.Skipped, Detail: strings.Join(p.waiting, ", ") + " need the cluster"}})
	}
	p.waiting = nil
}

func (p *doctorPrinter) print(r doctor.Result) {
	look := doctorSigns[r.State]
	p.checks.Print(ui.Check{
		Name: r.Name, Mark: look.mark, Sign: look.sign, State: string(r.State),
		Detail: append([]string{r.Detail}, r.More...), Hint: p.say(r.Hint),
	})
}
