package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/deploy"
)

func newHistoryCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "history [APP]",
		Short: "List the versions that have been shipped, and how they fared",
		Long: `Lists the Deployment's revisions, newest first: the commit, who shipped it when, whether norn has watched it come up, and which
one runs now. Nothing is changed; norn rollback --to takes a revision or a commit. The cluster keeps artifacts.retain of them.`,
		Example: "  norn history shop\n  norn history shop -o json | jq -r 'select(.current) | .image'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.connect(cmd.Context(), cmd, "history")
			if err != nil {
				return err
			}
			name, err := a.name(argument(args, 0), s.conf)
			if err != nil {
				return err
			}
			entries, err := deploy.History(cmd.Context(), s.client, s.conf.Namespace, name)
			if err != nil {
				return err
			}
			if a.JSON {
				return a.encode(elements(entries)...)
			}
			a.printHistory(entries)
			return nil
		},
	}
}

func (a *app) printHistory(entries []deploy.Entry) {
	rows := make([][]ui.Cell, 0, len(entries))
	for _, e := range entries {
		current, migrated := "", ""
		if e.Current {
			current = "current"
		}
		if e.Migrated {
			migrated = "migrated"
		}
		outcome := ui.Marked("not watched", ui.Dim)
		switch {
		case e.Verified:
			outcome = ui.Marked("verified", ui.Good)
		case e.Failed != "":
			outcome = ui.Marked(fmt.Sprintf("failed: %s", e.Failed), ui.Bad)
		}
		rows = append(rows, []ui.Cell{
			{Text: fmt.Sprint(e.Revision)}, {Text: e.Version()}, outcome, {Text: current}, {Text: age(&e.Created)}, {Text: dash(e.By)}, {Text: migrated}, {Text: dash(e.Digest)},
		})
	}
	ui.PrintTable(a.streams.Out, []string{"REVISION", "VERSION", "OUTCOME", "", "AGE", "BY", "DATABASE", "DIGEST"}, rows, "DIGEST", "BY", "DATABASE")
}
