package preview

import (
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/forge"
)

// Listed is the JSON output: a preview.
type Listed struct {
	Environment string     `json:"environment"` // for --env, such as preview/pr-12
	App         string     `json:"app"`         // in the cluster, such as shop-pr-12
	Base        string     `json:"base"`        // the app that it is a preview of
	Namespace   string     `json:"namespace"`
	Created     time.Time  `json:"created"`
	Expires     *time.Time `json:"expires,omitempty"`
	Expired     bool       `json:"expired"`
	Version     string     `json:"version,omitempty"`
}

func newList(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "list [APP]",
		Short: "List the previews, and when they expire",
		Long: `Lists the previews in the cluster: the value for --env, the name of the app in the cluster, the namespace,
the age, the version, and when the preview expires by the API server's clock. Each deploy and forge of
a preview renews it.

Without APP, norn lists the previews of the infraspec here, in the namespaces of its environments. If
there is no infraspec, it lists those of all apps, in all namespaces that you may list. --namespace
searches only one.`,
		Example: "  norn preview list\n  norn preview list shop -o json | jq -r 'select(.expired) | .environment'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := begin(a, cmd, "preview list", cli.Argument(args, 0))
			if err != nil {
				return err
			}
			all, err := s.previews(cmd.Context())
			if err != nil {
				return err
			}
			if a.JSON {
				return a.Encode(cli.Elements(s.listed(all))...)
			}
			if len(all) == 0 && !a.Quiet {
				ui.PrintTitle(a.Streams.Err, "no previews of "+s.what())
				return nil
			}
			s.print(a, all)
			return nil
		},
	}
}

func (s *search) listed(all []forge.Preview) []Listed {
	out := make([]Listed, 0, len(all))
	for _, p := range all {
		one := Listed{
			Environment: p.Environment, App: p.App, Base: p.Base(), Namespace: p.Namespace,
			Created: p.Created.UTC(), Expired: p.Expired(s.now), Version: p.Version,
		}
		if at := p.Expires.UTC(); !at.IsZero() {
			one.Expires = &at
		}
		out = append(out, one)
	}
	return out
}

func (s *search) print(a *cli.App, all []forge.Preview) {
	rows := make([][]ui.Cell, 0, len(all))
	for _, p := range all {
		rows = append(rows, []ui.Cell{
			{Text: p.Environment}, {Text: p.App}, {Text: p.Namespace},
			{Text: duration.HumanDuration(s.now.Sub(p.Created))}, s.expires(p), {Text: cli.Dash(p.Version)},
		})
	}
	head := []string{"PREVIEW", "APP", "NAMESPACE", "AGE", "EXPIRES", "VERSION"}
	ui.PrintTable(a.Streams.Out, head, rows, "AGE", "VERSION")
}

// expires returns when a preview expires, relative to now.
func (s *search) expires(p forge.Preview) ui.Cell {
	switch {
	case p.Expires.IsZero():
		return ui.Cell{Text: "-"}
	case p.Expired(s.now):
		return ui.Marked("expired "+duration.HumanDuration(s.now.Sub(p.Expires))+" ago", ui.Warn)
	}
	return ui.Cell{Text: "in " + duration.HumanDuration(p.Expires.Sub(s.now))}
}
