// Package diff implements norn diff.
package diff

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/forge"
	"norn/pkg/forge/drift"
	"norn/pkg/pipeline"
)

// New returns norn diff.
func New(a *cli.App) *cobra.Command {
	var o forge.Options
	var exitCode bool
	cmd := &cobra.Command{
		Use:   "diff [APP]",
		Short: "Show what forge would change",
		Long: `Sends the app's objects to the API server as a dry run, and shows how the result differs from the
live objects. Changes nothing. If the cluster would refuse the app's Pods, norn says why and exits
with 1. With --exit-code, norn also exits with 1 if anything differs.`,
		Example: "  norn diff\n  norn diff shop --exit-code",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			changes, err := Run(a, cmd, args, o)
			if err == nil && exitCode && len(changes) > 0 {
				return &cli.DiffersError{Objects: len(changes)}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 if anything differs")
	cmd.Flags().BoolVar(&o.Adopt, "adopt", false, "show what forge --adopt would change")
	a.BindAll(cmd)
	return cmd
}

// Change is the JSON output: an object that forge would change.
type Change struct {
	Kind   string         `json:"kind" redact:"-"`
	Name   string         `json:"name"`
	Change pipeline.State `json:"change" redact:"-"` // created, configured or deleted
	Diff   string         `json:"diff"`              // unified, of the object in YAML
}

// notes reports warnings, and keeps the lines that belong to no step. norn prints the changes at the end.
type notes struct {
	*cli.App
	lines []string
}

// Report implements pipeline.Reporter.
func (n *notes) Report(e pipeline.Event) {
	switch {
	case e.Kind == pipeline.Warned:
		n.Warnf("%s", e.Line)
	case e.Kind == pipeline.Output && e.Step == "":
		n.lines = append(n.lines, e.Line)
	case e.Kind == pipeline.Output && e.Step == forge.CheckStep && !n.Quiet:
		_ = ui.PrintText(n.Streams.Err, e.Line)
	}
}

// Run prints what forge would change, and returns the changes. It also implements norn forge --dry-run.
func Run(a *cli.App, cmd *cobra.Command, args []string, o forge.Options) ([]drift.Change, error) {
	s, err := a.Connect(cmd.Context(), cmd, cli.Purpose{
		Action: cmd.Name(), App: cli.Argument(args, 0), Access: cli.Compares,
	})
	if err != nil {
		return nil, err
	}
	spec, err := a.Spec(cli.Argument(args, 0), s.Conf)
	if err != nil {
		return nil, err
	}
	if o.Settings, err = cli.ForgeSettings(cmd.Context(), s.Client, s.Conf, o.Image); err != nil {
		return nil, err
	}
	o.Repository = deploy.Repository(cmd.Context(), spec)
	o.NextImage = deploy.NextImage(s.Conf.Registry, spec.BaseApp())
	if err := deploy.CheckRunningUser(cmd.Context(), s.Client, spec, o.Settings, a.Redactor.Hide); err != nil {
		return nil, err
	}
	said := &notes{App: a}
	changes, err := forge.Plan(cmd.Context(), s.Client, said, spec, o)
	if err != nil {
		return nil, err
	}
	if a.JSON {
		for _, c := range changes {
			if err := a.Encode(Change{c.Kind, c.Name, c.State, c.Diff()}); err != nil {
				return nil, err
			}
		}
		return changes, nil
	}
	for _, c := range changes {
		ui.PrintDiff(a.Streams.Out, fmt.Sprintf("%s %s (%s)", c.Kind, c.Name, c.State), c.Diff())
	}
	switch {
	case a.Quiet:
	case len(said.lines) > 0:
		ui.PrintTitle(a.Streams.Err, "no other changes: "+strings.Join(said.lines, "; "))
	case len(changes) == 0:
		ui.PrintTitle(a.Streams.Err, fmt.Sprintf("no changes: %s matches its infraspec", spec.App))
	}
	return changes, nil
}
