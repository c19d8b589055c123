package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"norn/internal/config"
	"norn/internal/ui"
	"norn/internal/validate"
	"norn/pkg/infraspec"
)

type validateOptions struct{ all, strict, verbose bool }

func newValidateCmd(a *app) *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate [APP…]",
		Short: "Check infraspecs and the files beside them, without a cluster",
		Long: `Checks the infraspec strictly, and that the Dockerfile and every declared secret are there. All findings are
listed, each with its place and its rule (see docs/infraspec.md). No key is needed for the secrets: their
names are readable in the encrypted file.

Errors end with exit code 2. In a job of GitHub Actions each finding is also an annotation.`,
		Example: "  norn validate\n  norn validate shop ./tools/beat\n  norn validate --all --strict -o json",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.all && len(args) > 0 {
				return &usageError{err: errors.New("--all takes no APP: it checks every app in the apps folder")}
			}
			conf, err := a.config(cmd)
			if err != nil {
				return err
			}
			o.verbose = a.Verbose
			return a.validate(args, conf, o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.all, "all", false, "check every app in the apps folder")
	flags.BoolVar(&o.strict, "strict", false, "let warnings count as errors")
	return cmd
}

func (a *app) validate(args []string, conf *config.Config, o validateOptions) error {
	here, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the current folder: %w", err)
	}
	sum := &summary{options: o, counts: counts{}}
	each := func(r validate.Report) error {
		sum.take(r)
		return a.printReport(r, o)
	}
	if o.all {
		if err := validate.All(conf.AppsDir, each); err != nil {
			return err
		}
		return a.conclude(sum, conf.AppsDir)
	}
	if len(args) == 0 {
		args = []string{""}
	}
	var missing []error
	for _, arg := range args {
		report, err := validate.One(arg, here, conf.AppsDir)
		switch {
		case err == nil:
			err = each(report)
		case a.JSON:
			err = errors.Join(err, a.encode(checked{App: arg, Findings: []infraspec.Finding{}, Error: err.Error()}))
		}
		missing = append(missing, err)
	}
	return errors.Join(append(missing, a.conclude(sum, conf.AppsDir))...)
}

// checked is one app's report in JSON.
type checked struct {
	App      string              `json:"app"`
	Path     string              `json:"path,omitempty"`
	Valid    bool                `json:"valid"`
	Findings []infraspec.Finding `json:"findings"`
	Error    string              `json:"error,omitempty"` // why there was nothing to check
}

// printReport prints one app's findings, or the report as one JSON object.
func (a *app) printReport(r validate.Report, o validateOptions) error {
	if a.JSON {
		findings := r.Findings
		if findings == nil {
			findings = []infraspec.Finding{}
		}
		if err := a.encode(checked{App: r.App, Path: r.Path, Valid: o.valid(r.Findings), Findings: findings}); err != nil {
			return err
		}
	}
	for _, f := range r.Findings {
		if f.Severity == infraspec.Note && !o.verbose {
			continue
		}
		if !a.JSON {
			ui.PrintFinding(a.streams.Out, shownFinding(f))
		}
		if ui.OnGitHub() {
			ui.Annotate(a.streams.Err, shownFinding(f))
		}
	}
	return nil
}

func (o validateOptions) valid(found []infraspec.Finding) bool {
	return !infraspec.HasErrors(found) && (!o.strict || count(found)[infraspec.Warning] == 0)
}

// summary is what a run over one or many apps came to.
type summary struct {
	options     validateOptions
	apps, valid int
	last        string // the app, where there is one
	counts      counts
}

func (s *summary) take(r validate.Report) {
	s.apps++
	s.last = r.App
	if s.last == "" {
		s.last = ui.Shown(r.Path)
	}
	if s.options.valid(r.Findings) {
		s.valid++
	}
	for severity, n := range count(r.Findings) {
		s.counts[severity] += n
	}
}

// conclude prints the verdict, or returns it as an error where it is a bad one.
func (a *app) conclude(s *summary, appsDir string) error {
	if s.valid < s.apps {
		what := s.last
		if s.apps > 1 {
			what = fmt.Sprintf("%d of %d apps", s.apps-s.valid, s.apps)
		}
		return &invalidError{what, s.counts, s.options.strict}
	}
	if a.JSON {
		return nil
	}
	text := fmt.Sprintf("%s is valid", s.last)
	switch {
	case s.apps == 0 && s.options.all:
		text = fmt.Sprintf("there is no app in %s", appsDir)
	case s.apps == 0:
		return nil // what was named was not found, which is said
	case s.apps > 1:
		text = fmt.Sprintf("%d apps are valid", s.apps)
	}
	if warnings := s.counts.String(); warnings != "" {
		text += ", with " + warnings
	}
	if n := s.counts[infraspec.Note]; n > 0 && !s.options.verbose {
		text += fmt.Sprintf(" (%s: -v)", plural(n, "note"))
	}
	_, err := fmt.Fprintln(a.streams.Out, text)
	return err
}
