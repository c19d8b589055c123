// Package validate implements norn validate.
package validate

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/config"
	"norn/internal/ui"
	"norn/internal/validate"
	"norn/pkg/infraspec"
)

// options are the flags of norn validate.
type options struct{ all, strict, verbose bool }

// New returns norn validate.
func New(a *cli.App) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "validate [APP…]",
		Short: "Check infraspecs and the files beside them",
		Long: `Checks the infraspec, and that the Dockerfile and every declared secret exist. Lists all findings with
their position and rule (see docs/infraspec.md). norn contacts no cluster and needs no key: the
names of secrets are readable in the encrypted file.

An error ends with exit code 2. In GitHub Actions, each finding also becomes an annotation.`,
		Example: "  norn validate\n  norn validate shop ./tools/beat\n  norn validate --all --strict -o json",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.all && len(args) > 0 {
				return cli.Usagef("--all cannot be combined with APP: it checks every app in the apps folder")
			}
			conf, err := a.Config(cmd)
			if err != nil {
				return err
			}
			o.verbose = a.Verbose
			return run(a, args, conf, o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.all, "all", false, "check every app in the apps folder")
	flags.BoolVar(&o.strict, "strict", false, "treat warnings as errors")
	return cmd
}

func run(a *cli.App, args []string, conf *config.Config, o options) error {
	here, err := cli.Here()
	if err != nil {
		return err
	}
	settings := validate.Settings{AppsDir: conf.AppsDir, HostPaths: conf.HostPaths, Environment: conf.Env}
	sum := &summary{options: o, counts: cli.Counts{}}
	each := func(r validate.Report) error {
		sum.take(r)
		return printReport(a, r, o)
	}
	if o.all {
		if err := validate.All(settings, each); err != nil {
			return err
		}
		return conclude(a, sum)
	}
	if len(args) == 0 {
		args = []string{""}
	}
	var missing []error
	for _, arg := range args {
		report, err := validate.One(arg, here, settings)
		switch {
		case err == nil:
			err = each(report)
		case a.JSON:
			err = errors.Join(err, a.Encode(Checked{App: arg, Findings: []infraspec.Finding{}, Error: err.Error()}))
		}
		missing = append(missing, err)
	}
	return errors.Join(append(missing, conclude(a, sum))...)
}

// Checked is the JSON output: the report on one app.
type Checked struct {
	App      string              `json:"app"`
	Path     string              `json:"path,omitempty"`
	Valid    bool                `json:"valid"`
	Findings []infraspec.Finding `json:"findings"`
	Error    string              `json:"error,omitempty"` // why the app could not be checked
}

// printReport prints the findings of one app, or its report as a JSON object.
func printReport(a *cli.App, r validate.Report, o options) error {
	if a.JSON {
		findings := r.Findings
		if findings == nil {
			findings = []infraspec.Finding{}
		}
		if err := a.Encode(Checked{App: r.App, Path: r.Path, Valid: o.valid(r.Findings), Findings: findings}); err != nil {
			return err
		}
	}
	for _, f := range r.Findings {
		if f.Severity == infraspec.Note && !o.verbose {
			continue
		}
		if !a.JSON {
			ui.PrintFinding(a.Streams.Out, cli.ShownFinding(f))
		}
		if ui.OnGitHub() {
			ui.Annotate(a.Streams.Err, cli.ShownFinding(f))
		}
	}
	return nil
}

func (o options) valid(found []infraspec.Finding) bool {
	return !infraspec.HasErrors(found) && (!o.strict || cli.Count(found)[infraspec.Warning] == 0)
}

// summary counts the findings in the reports of all apps.
type summary struct {
	options     options
	apps, valid int
	last        string // the last app
	counts      cli.Counts
}

func (s *summary) take(r validate.Report) {
	s.apps++
	s.last = r.App
	if s.last == "" {
		s.last = ui.DisplayPath(r.Path)
	}
	if s.options.valid(r.Findings) {
		s.valid++
	}
	for severity, n := range cli.Count(r.Findings) {
		s.counts[severity] += n
	}
}

// conclude prints that all apps are valid, or returns an error.
func conclude(a *cli.App, s *summary) error {
	if s.valid < s.apps {
		what := s.last
		if s.apps > 1 {
			what = fmt.Sprintf("%d of %d apps", s.apps-s.valid, s.apps)
		}
		return &cli.InvalidError{What: what, Many: s.apps > 1, Counts: s.counts, Strict: s.options.strict}
	}
	if a.JSON {
		return nil
	}
	text := fmt.Sprintf("%s is valid", s.last)
	switch {
	case s.apps == 0:
		return nil // the caller returns the error
	case s.apps > 1:
		text = fmt.Sprintf("%d apps are valid", s.apps)
	}
	if warnings := s.counts.String(); warnings != "" {
		text += ", with " + warnings
	}
	if n := s.counts[infraspec.Note]; n > 0 && !s.options.verbose {
		text += fmt.Sprintf(" (%s, shown with -v)", cli.Plural(n, "note"))
	}
	return ui.PrintText(a.Streams.Out, text)
}
