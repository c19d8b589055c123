package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/forge"
	"norn/pkg/forge/drift"
	"norn/pkg/pipeline"
)

// differsError is no failure: it is what --exit-code asks to be told by the exit code.
type differsError struct{ n int }

func (e *differsError) Error() string {
	return fmt.Sprintf("%s differ", plural(e.n, "object"))
}

func newDiffCmd(a *app) *cobra.Command {
	var o forge.Options
	var exitCode bool
	cmd := &cobra.Command{
		Use:   "diff [APP]",
		Short: "Show what forge would change",
		Long: `Asks the API server what forge would change, by a dry run, and shows the objects' differences. Nothing is changed.
With --exit-code a difference ends with exit code 1.`,
		Example: "  norn diff\n  norn diff shop --exit-code",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			changes, err := a.plan(cmd, args, o)
			if err == nil && exitCode && len(changes) > 0 {
				return &differsError{len(changes)}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "end with 1 where there is a difference")
	cmd.Flags().BoolVar(&o.Adopt, "adopt", false, "show what forge --adopt would change; what it would remove of others' fields is not seen")
	return cmd
}

// objectChange is one object that forge would change.
type objectChange struct {
	Kind   string         `json:"kind"`
	Name   string         `json:"name"`
	Change pipeline.State `json:"change"` // created, configured or deleted
	Diff   string         `json:"diff"`   // unified, of the object in YAML
}

// silent tells nobody what a run's steps do: their changes are told in the end.
type silent struct{}

// Report implements pipeline.Reporter.
func (silent) Report(pipeline.Event) {}

// plan asks what a forge would change, and prints it.
func (a *app) plan(cmd *cobra.Command, args []string, o forge.Options) ([]drift.Change, error) {
	s, err := a.connect(cmd.Context(), cmd, cmd.Name())
	if err != nil {
		return nil, err
	}
	spec, err := a.spec(argument(args, 0), s.conf)
	if err != nil {
		return nil, err
	}
	o.Settings = forgeSettings(s.conf, o.Image)
	changes, err := forge.Plan(cmd.Context(), s.client.DryRun(), silent{}, spec, o)
	if err != nil {
		return nil, err
	}
	if a.JSON {
		for _, c := range changes {
			if err := a.encode(objectChange{c.Kind, c.Name, c.State, c.Diff()}); err != nil {
				return nil, err
			}
		}
		return changes, nil
	}
	for _, c := range changes {
		ui.PrintDiff(a.streams.Out, fmt.Sprintf("%s %s (%s)", c.Kind, c.Name, c.State), c.Diff())
	}
	if len(changes) == 0 && !a.Quiet {
		ui.PrintTitle(a.streams.Err, fmt.Sprintf("nothing to change: %s is as its infraspec says", spec.App))
	}
	return changes, nil
}
