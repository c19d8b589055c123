// Package history implements norn history.
package history

import (
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/deploy"
)

// New returns norn history.
func New(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "history [APP]",
		Short: "List the deployed versions and how their rollouts ended",
		Long: `Lists the Deployment's revisions, newest first: the commit and its subject, who deployed it and when, whether
norn verified its rollout, and which revision is current. DATABASE says migrated if a migration ran before the
revision: a rollback across it does not undo the migration. norn rollback --to accepts a revision or a
commit. artifacts.retain sets how many revisions the cluster keeps, in addition to a few failed or
restarted ones.

If the app has several processes, a line is a release of all. --output json has the revision of each
process's Deployment, as in kubectl rollout history.`,
		Example: "  norn history shop\n  norn history shop -o json | jq -r 'select(.current) | .image'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.Connect(cmd.Context(), cmd, cli.Purpose{Action: "history", App: cli.Argument(args, 0)})
			if err != nil {
				return err
			}
			name, err := a.Name(cli.Argument(args, 0), s.Conf)
			if err != nil {
				return err
			}
			entries, err := deploy.History(cmd.Context(), s.Client, s.Conf.Namespace, name)
			if err != nil {
				return s.CheckSpelling(cmd.Context(), name, err)
			}
			if a.JSON {
				return a.Encode(cli.Elements(entries)...)
			}
			printHistory(a, entries)
			return nil
		},
	}
}

// number returns the number of a release, or "-" if somebody else than norn has changed a process.
func number(revision int64) string {
	if revision == 0 {
		return "-"
	}
	return fmt.Sprint(revision)
}

func printHistory(a *cli.App, entries []deploy.Entry) {
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
			{Text: number(e.Revision)}, {Text: e.Version()}, outcome, {Text: current},
			{Text: cli.Age(&e.Created)}, {Text: cli.Dash(e.By)}, {Text: migrated}, {Text: e.Subject},
			{Text: cli.Dash(e.Digest)},
		})
	}
	head := []string{"REVISION", "VERSION", "OUTCOME", "", "AGE", "BY", "DATABASE", "SUBJECT", "DIGEST"}
	ui.PrintTable(a.Streams.Out, head, rows, "DIGEST", "SUBJECT", "BY", "DATABASE")
}
